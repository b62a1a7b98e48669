/**
 * Messages that break the contract, made from ones that keep it: wrong names, wrong types, missing fields, numbers out of
 * range, texts too long, wrong shapes. Each is checked to be malformed, so that a refusal is the only right answer.
 */
import { type CallName, type CallParams, calls, settingsSchema } from '../../src-contract/channels.ts';
import { seededRandom } from '../../src-main/engine/decode/random.ts';

export interface Message {
  readonly name: unknown;
  readonly params: unknown;
}

type Samples = { readonly [C in CallName]: CallParams<C> };

const series = { studyId: 'study', seriesId: 'series' };
const window = { center: 40, width: 400 };
const volume = { kind: 'volume' } as const;

/** One well-formed message of every call. */
export const wellFormed: Samples = {
  'app.info': {},
  'app.openDocs': {},
  'settings.set': { ...settingsSchema.parse({}), theme: 'light', seed: 3 },
  'study.pick': { kind: 'file' },
  'study.openSample': { sampleId: 'sample' },
  'study.openRecent': { recentId: 'recent' },
  'study.openDropped': { paths: ['/etc'] },
  'study.cancelOpen': { openId: 'open' },
  'study.close': { studyId: 'study' },
  'study.pixels': { ...series, first: 1 },
  'study.cancelPixels': series,
  'study.tags': { ...series, slice: 1 },
  'study.identifiers': series,
  'study.modelView': { ...series, target: volume },
  'models.list': {},
  'models.add': {},
  'models.remove': { modelId: 'model' },
  'models.convert': { modelId: 'model', precision: 'fp32' },
  'models.cancelConvert': { modelId: 'model' },
  'models.unload': {},
  'engine.state': {},
  'run.ask': {
    ...series,
    target: { kind: 'slice', slice: 3, window },
    question: 'Is there a lesion?',
    options: { A: 'yes', B: 'no' },
    preset: 'grounded',
  },
  'run.stop': { runId: 'run' },
  'run.trace': { runId: 'run' },
  'run.saveTrace': { runId: 'run' },
  'project.view': {},
  'project.create': {},
  'project.open': {},
  'project.openLibrary': {},
  'project.merge': {},
  'project.archive': { pixels: false },
  'project.cancelTransfer': {},
  'project.cases': { filter: {}, sort: 'newest', offset: 0, limit: 50 },
  'project.runs': { caseId: 'case' },
  'project.trace': { runId: 'run' },
  'project.openStudy': { caseId: 'case' },
  'project.log': { caseId: null, offset: 0, limit: 50 },
  'readers.add': { name: 'AB', role: 'reader' },
  'readers.choose': { readerId: 'reader' },
  'review.get': { runId: 'run' },
  'review.edit': {
    edits: [{ kind: 'comment', runId: 'run', readerId: 'reader', before: null, after: 'seen' }],
  },
  'review.undo': {},
  'review.redo': {},
  'review.next': { after: null, filter: {} },
  'project.agreement': { filter: {} },
  'project.disagreements': { filter: {} },
  'compare.runs': { a: 'run', b: 'run' },
  'compare.consistency': { runId: 'run' },
  'compare.figure': { volumeRunId: 'run', slice: 3 },
  'export.start': {
    scope: { kind: 'run', runId: 'run' },
    formats: ['csv'],
    readerId: null,
    identifiers: false,
  },
  'export.cancel': { exportId: 'none' },
  'compare.saveFigure': { volumeRunId: 'run', slice: 3 },
  'compare.askSlices': { volumeRunId: 'run', every: 2 },
  'compare.stopSlices': { volumeRunId: 'run' },
};

export const callNames = Object.keys(calls) as CallName[];
const wrongNames: unknown[] = [
  '', ' ', 'app', 'app.', '.info', 'APP.INFO', 'app.info ', 'app.info\0', 'constructor', '__proto__', 'toString',
  'hasOwnProperty', 'valueOf', 'study.openDropped\u200b', 'readroom:call', '../app.info', 'x'.repeat(1_000),
  null, undefined, 0, 1.5, true, [], ['app.info'], {}, { toString: 'app.info' },
]; // biome-ignore format: a list
const wrongValues: unknown[] = [
  null, undefined, true, false, 0, -1, 1.5, -0, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 12n, '', 'x',
  '\0', '../../etc/passwd', '/etc/passwd', 'file:///etc/passwd', '__proto__', '\ud800', [], [[]],
  {}, [null], [{}], { length: 1 }, { constructor: { prototype: {} } },
  new Date(0),
]; // biome-ignore format: a list
/** Never an object of the contract, whatever it holds. */
const noObjects = wrongValues.filter(
  (value) => value === null || typeof value !== 'object' || Array.isArray(value),
);

function isMalformed({ name, params }: Message): boolean {
  if (typeof name !== 'string' || !Object.hasOwn(calls, name)) return true;
  return !calls[name as CallName].params.safeParse(params).success;
}

/** Beyond what any field takes; rarely chosen, since they cost more than they find. */
const largeValues: unknown[] = ['x'.repeat(120_000), Array.from({ length: 12_000 }, () => 'x')];
const wrongValue = (random: () => number): unknown =>
  pick(random, random() < 0.005 ? largeValues : wrongValues);

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** A copy in which one value, at any depth, is replaced, removed or wrapped. */
function mutated(random: () => number, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || random() < 0.1) return wrongValue(random);
  const entries = Object.entries(value);
  if (entries.length === 0) return pick(random, noObjects);
  const [key, old] = pick(random, entries);
  const kind = random();
  if (Array.isArray(value)) return kind < 0.5 ? [...value, wrongValue(random)] : wrongValue(random);
  const rest = Object.fromEntries(entries.filter(([other]) => other !== key));
  if (kind < 0.15) return rest;
  if (kind < 0.25) return { ...rest, [key]: [old] };
  if (kind < 0.35) return { ...rest, [key]: { [key]: old } };
  return { ...rest, [key]: mutated(random, old) };
}

/** @param seed the same seed gives the same messages */
export function malformedMessages(count: number, seed: number): Message[] {
  const random = seededRandom(seed);
  const messages: Message[] = [];
  while (messages.length < count) {
    const name = pick(random, callNames);
    const message: Message =
      random() < 0.15
        ? {
            name: pick(random, wrongNames),
            params: pick(random, [...Object.values(wellFormed), ...wrongValues]),
          }
        : { name, params: random() < 0.2 ? pick(random, noObjects) : mutated(random, wellFormed[name]) };
    if (isMalformed(message)) messages.push(message);
  }
  return messages;
}
