/**
 * The names of all calls and events between window and main; what they carry is in channels.ts. Apart from it, because
 * the preload needs the names alone: it runs before the page does, and the schemas would make every start wait.
 */
export const callNames = [
  'app.info',
  'app.openDocs',
  'settings.set',
  'study.pick',
  'study.openSample',
  'study.openRecent',
  'study.openDropped',
  'study.cancelOpen',
  'study.close',
  'study.pixels',
  'study.cancelPixels',
  'study.tags',
  'study.identifiers',
  'study.modelView',
  'models.list',
  'models.add',
  'models.remove',
  'models.convert',
  'models.cancelConvert',
  'models.unload',
  'engine.state',
  'run.ask',
  'run.stop',
  'run.trace',
  'run.saveTrace',
] as const;
export type CallName = (typeof callNames)[number];

export const eventNames = [
  'study.opening',
  'study.progress',
  'study.preview',
  'study.opened',
  'study.failed',
  'series.progress',
  'series.retyped',
  'series.failed',
  'recent.changed',
  'models.changed',
  'models.progress',
  'models.failed',
  'engine.changed',
  'run.event',
  'run.failed',
  'command',
] as const;
export type EventName = (typeof eventNames)[number];
