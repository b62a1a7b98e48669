/** What each call of project-channels.ts does: dialogs here, the work in the project's process. */
import { basename } from 'node:path';
import type {
  agreementCalls,
  compareCalls,
  projectCalls,
  transferCalls,
} from '../../../src-contract/project-channels.ts';
import type { CallHandlers } from '../../ipc/router.ts';
import type { Services } from '../handlers.ts';
import { openCaseStudy } from './case-study.ts';

export type ProjectHandlers = Pick<
  CallHandlers,
  | keyof typeof projectCalls
  | keyof typeof transferCalls
  | keyof typeof agreementCalls
  | keyof typeof compareCalls
>;

export function projectHandlers({ projects, studies, dialogs }: Services): ProjectHandlers {
  return {
    'project.view': () => projects.call('view', {}),
    'project.create': async () => {
      const path = await dialogs.saveProject();
      return path === null ? null : projects.create(path);
    },
    'project.open': async () => {
      const path = await dialogs.pickProject();
      return path === null ? null : projects.open(path);
    },
    'project.openLibrary': () => projects.openLibrary(),
    'project.merge': async () => {
      const path = await dialogs.pickToMerge();
      return path === null ? null : projects.call('merge', { path });
    },
    'project.cancelTransfer': () => {
      projects.cancelTransfer();
      return {};
    },
    'project.archive': async ({ pixels }) => {
      const { title } = await projects.call('view', {});
      const path = await dialogs.saveArchive(title);
      if (path === null) return null;
      const { leftOut } = await projects.call('archive', { path, pixels });
      return { name: basename(path), leftOut };
    },
    'project.cases': (params) => projects.call('cases', params),
    'project.runs': (params) => projects.call('runs', params),
    'project.trace': (params) => projects.call('trace', params),
    'project.openStudy': ({ caseId }) => openCaseStudy({ projects, studies, dialogs }, caseId),
    'project.log': (params) => projects.call('log', params),
    'readers.add': (params) => projects.call('addReader', params),
    'readers.choose': ({ readerId }) => projects.choose(readerId),
    'review.get': (params) => projects.call('reviews', params),
    'review.edit': (params) => projects.call('edit', params),
    'review.undo': () => projects.call('undo', {}),
    'review.redo': () => projects.call('redo', {}),
    'review.next': (params) => projects.call('next', params),
    'project.agreement': (params) => projects.call('agreement', params),
    'project.disagreements': (params) => projects.call('disagreements', params),
    'compare.runs': (params) => projects.call('compare', params),
    'compare.consistency': (params) => projects.call('consistency', params),
  };
}
