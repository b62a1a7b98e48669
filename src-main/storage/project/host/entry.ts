/** The process of the open project. Bundled to out/main/project-host.js; runs under utilityProcess and under fork. */
import { type ProjectEvent, projectMethods } from '../../../../src-contract/project-protocol.ts';
import { parentOfProcess } from '../../../channel/parent-port.ts';
import { serveMethods } from '../../../channel/server.ts';
import { ProjectSession } from './session.ts';

let session: ProjectSession | undefined;
serveMethods<typeof projectMethods, ProjectEvent>(parentOfProcess(), {
  methods: projectMethods,
  handlers: (emit) => {
    session = new ProjectSession(emit);
    return session.handlers();
  },
  gate: (method) => session?.gate(method) ?? null,
  // What was answered is on the disk; closing leaves one tidy file without its write-ahead log.
  onClose: () => void session?.end().finally(() => process.exit(0)),
});
