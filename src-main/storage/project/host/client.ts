/** The application's side of the project protocol: one process. */
import { ReadroomError } from '../../../../src-contract/errors.ts';
import {
  type ProjectEvent,
  projectEventSchema,
  projectMethods,
} from '../../../../src-contract/project-protocol.ts';
import { type ChannelHooks, MethodProcess } from '../../../channel/client.ts';
import type { Transport } from '../../../engine/host/transport.ts';

const definition = {
  methods: projectMethods,
  event: projectEventSchema,
  closed: 'The project was closed.',
  death: (how: string, detail: string | undefined) =>
    new ReadroomError('project-died', `The process that keeps the project ended ${how}.`, {
      remedy: 'Everything that was shown as saved is saved. Do the last thing again.',
      detail,
    }),
};

export class ProjectProcess extends MethodProcess<typeof projectMethods, typeof projectEventSchema> {
  constructor(transport: Transport, hooks: ChannelHooks<ProjectEvent>) {
    super(definition, transport, hooks);
  }
}
