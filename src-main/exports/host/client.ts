/** The application's side of the export protocol: one process an export. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import { type ExportEvent, exportEventSchema, exportMethods } from '../../../src-contract/export-protocol.ts';
import { type ChannelHooks, MethodProcess } from '../../channel/client.ts';
import type { Transport } from '../../engine/host/transport.ts';

const definition = {
  methods: exportMethods,
  event: exportEventSchema,
  closed: 'The export was stopped.',
  death: (how: string, detail: string | undefined) =>
    new ReadroomError('internal', `The process that writes the export ended ${how}.`, {
      remedy: 'Nothing of the export is under its name. Start it again.',
      detail,
    }),
};

export class ExportProcess extends MethodProcess<typeof exportMethods, typeof exportEventSchema> {
  constructor(transport: Transport, hooks: ChannelHooks<ExportEvent>) {
    super(definition, transport, hooks);
  }
}
