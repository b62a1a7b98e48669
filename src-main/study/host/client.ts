/** The application's side of the study protocol: one process, one study. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import { type StudyEvent, studyEventSchema, studyMethods } from '../../../src-contract/study-protocol.ts';
import { type ChannelHooks, MethodProcess } from '../../channel/client.ts';
import type { Transport } from '../../engine/host/transport.ts';

/** Calls under way fail with 'file-unreadable' when the process ended by itself: a file that its reader can't survive. */
const definition = {
  methods: studyMethods,
  event: studyEventSchema,
  closed: 'The study was closed.',
  death: (how: string, detail: string | undefined) =>
    new ReadroomError('file-unreadable', `The process that reads the study ended ${how}.`, {
      remedy: 'Open the study again. If it is very large, close other programs first.',
      detail,
    }),
};

export class StudyProcess extends MethodProcess<typeof studyMethods, typeof studyEventSchema> {
  constructor(transport: Transport, hooks: ChannelHooks<StudyEvent>) {
    super(definition, transport, hooks);
  }
}
