/** The process of one model job (model-job.ts). Bundled to out/main/model-process.js. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toReadroomError } from '../../../src-contract/errors.ts';
import { precisions } from '../../../src-contract/run-events.ts';
import { parentOfProcess } from '../../channel/parent-port.ts';
import { containerKey, ensureContainer } from '../../checkpoint/container-cache.ts';
import { estimatePlan, planConversion } from '../../checkpoint/conversion-plan.ts';
import { manifestFileName } from '../../checkpoint/manifest.ts';
import { verifyContainer } from '../../checkpoint/verify.ts';
import {
  type ModelDescription,
  type ModelJobMessage,
  type ModelTask,
  modelTaskSchema,
  stopMessageSchema,
} from './model-job.ts';

const port = parentOfProcess();
const stopping = new AbortController();
const send = (message: ModelJobMessage): void => port.send(message);
/** Progress is for eyes. */
const progressInterval = 100;

async function perform(task: ModelTask): Promise<ModelJobMessage> {
  if (task.task === 'describe') return { kind: 'described', model: await describe(task) };
  let last = 0;
  const containerDir = await ensureContainer({
    model: task.folder,
    precision: task.precision,
    cacheRoot: task.cacheRoot,
    signal: stopping.signal,
    onProgress: ({ phase, doneBytes, totalBytes }) => {
      const now = performance.now();
      if (now - last < progressInterval) return;
      last = now;
      send({ kind: 'progress', phase, done: doneBytes, total: totalBytes });
    },
  });
  return { kind: 'converted', containerDir };
}

async function describe({ folder, cacheRoot }: ModelTask): Promise<ModelDescription> {
  if (await exists(join(folder, manifestFileName))) return describeContainer(folder);
  let parameters = 0;
  let sourceBytes = 0;
  const list: ModelDescription['precisions'] = [];
  for (const precision of precisions) {
    const plan = await planConversion(folder, precision);
    try {
      parameters = plan.parameters;
      sourceBytes = plan.tensorFiles.reduce((sum, { bytes }) => sum + bytes, 0);
      const out = join(cacheRoot, containerKey(folder, precision, plan.fingerprint));
      list.push({ precision, ...estimatePlan(plan), state: await stateOf(out) });
    } finally {
      await plan.tensors.close();
    }
  }
  return { parameters, sourceBytes, precisions: list };
}

/** A folder that is a container already needs no conversion, and has no other precision. */
async function describeContainer(folder: string): Promise<ModelDescription> {
  const { parameters, files, precision } = await verifyContainer(folder);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const precisions = [{ precision, bytes, memoryBytes: bytes, state: 'ready' as const }];
  return { parameters, sourceBytes: bytes, precisions };
}

async function stateOf(out: string): Promise<'absent' | 'unfinished' | 'ready'> {
  if (!(await exists(out))) return 'absent';
  return verifyContainer(out).then(
    () => 'ready' as const,
    () => 'unfinished' as const,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

port.onMessage((message) => {
  if (stopMessageSchema.safeParse(message).success) {
    stopping.abort();
    return;
  }
  const task = modelTaskSchema.safeParse(message).data;
  if (!task) return;
  perform(task).then(send, (thrown: unknown) => {
    send({ kind: 'failed', error: toReadroomError(thrown).toPayload() });
  });
});
port.onClose(() => process.exit(0));
send({ kind: 'ready' });
