/** The system's own dialogs: the only way, besides dropping and 'Open with', that paths come in. */
import { basename, join } from 'node:path';
import { type BrowserWindow, dialog, shell } from 'electron';
import { ReadroomError } from '../../src-contract/errors.ts';
import { archiveSuffix, projectSuffix } from '../../src-contract/project.ts';
import { projectRoot } from '../storage/locations.ts';
import type { Dialogs } from './handlers.ts';

const studyFilters = [
  {
    name: 'Medical images',
    extensions: [
      'dcm',
      'nii',
      'gz',
      'mha',
      'mhd',
      'nrrd',
      'nhdr',
      'npy',
      'npz',
      'zip',
      'png',
      'jpg',
      'jpeg',
      'tif',
      'tiff',
    ],
  },
  // DICOM files often have no extension, or a number for one.
  { name: 'All files', extensions: ['*'] },
];

const projectFilters = [{ name: 'Readroom project', extensions: [projectSuffix] }];

export function systemDialogs(getWindow: () => BrowserWindow | null): Dialogs {
  const window = (): BrowserWindow => {
    const found = getWindow();
    if (found) return found;
    throw new ReadroomError('cancelled', 'The window was closed.');
  };
  return {
    async pickStudy(kind) {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: kind === 'folder' ? 'Open a folder of images' : 'Open images',
        properties: kind === 'folder' ? ['openDirectory'] : ['openFile', 'multiSelections'],
        ...(kind === 'file' ? { filters: studyFilters } : {}),
      });
      return canceled || filePaths.length === 0 ? null : filePaths;
    },
    async pickModel() {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: 'Add a Hugging Face checkpoint folder',
        properties: ['openDirectory'],
      });
      return canceled ? null : (filePaths[0] ?? null);
    },
    async saveTrace(suggestion) {
      const { canceled, filePath } = await dialog.showSaveDialog(window(), {
        title: 'Export the trace',
        defaultPath: suggestion,
        filters: [{ name: 'Readroom trace', extensions: ['json'] }],
      });
      return canceled || !filePath ? null : filePath;
    },
    async pickProject() {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: 'Open a project',
        properties: ['openFile'],
        filters: projectFilters,
      });
      return canceled ? null : (filePaths[0] ?? null);
    },
    async saveProject() {
      const { canceled, filePath } = await dialog.showSaveDialog(window(), {
        title: 'New project',
        defaultPath: `project.${projectSuffix}`,
        filters: projectFilters,
      });
      return canceled || !filePath ? null : filePath;
    },
    async pickToMerge() {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: 'Take a project, an archive or a trace into this project',
        properties: ['openFile'],
        filters: [
          { name: 'Projects, archives and traces', extensions: [projectSuffix, 'zip', 'json'] },
          { name: 'All files', extensions: ['*'] },
        ],
      });
      return canceled ? null : (filePaths[0] ?? null);
    },
    async saveArchive(title) {
      const { canceled, filePath } = await dialog.showSaveDialog(window(), {
        title: 'Save the project as one file',
        defaultPath: `${title.replace(/[\\/:*?"<>|]/g, ' ')}.${archiveSuffix}`,
        filters: [{ name: 'Readroom archive', extensions: ['zip'] }],
      });
      return canceled || !filePath ? null : filePath;
    },
    async pickImagesOfCase(title) {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: `Where are the images of '${title}'?`,
        message: 'Choose the folder that holds them now.',
        buttonLabel: 'Search here',
        properties: ['openDirectory'],
      });
      return canceled ? null : (filePaths[0] ?? null);
    },
    async pickExportFolder() {
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), {
        title: 'Where shall the export go?',
        message: 'A new folder is made in the one you choose.',
        buttonLabel: 'Export here',
        properties: ['openDirectory', 'createDirectory'],
      });
      return canceled ? null : (filePaths[0] ?? null);
    },
    async saveFigure(suggestion) {
      const { canceled, filePath } = await dialog.showSaveDialog(window(), {
        title: 'Save the figure',
        defaultPath: suggestion,
        filters: [
          { name: 'PNG, 600 dpi', extensions: ['png'] },
          { name: 'SVG', extensions: ['svg'] },
          { name: 'PDF', extensions: ['pdf'] },
        ],
      });
      return canceled || !filePath ? null : filePath;
    },
    async openDocs() {
      const folder = join(projectRoot(), 'docs');
      const failure = await shell.openPath(folder);
      if (failure) {
        throw new ReadroomError('file-unreadable', `The documentation could not be shown: ${failure}`, {
          file: basename(folder),
          remedy: `It lies in ${folder}.`,
        });
      }
    },
  };
}
