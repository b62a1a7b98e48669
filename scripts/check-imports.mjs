/**
 * The import rules of the design, checked on every `npm test`:
 *   src-contract imports nothing of ours outside itself
 *   src-renderer never imports src-main, and src-main never imports src-renderer
 *   src-main/engine knows no Electron and nothing of the parts above it (cli, app, ipc, runs, review, storage)
 *   only src-main/app and src-main/ipc (and src-preload) import 'electron'
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const rules = [
  {
    of: /^src-contract\//,
    forbid: (target) => target.startsWith('src-') && !target.startsWith('src-contract/'),
    why: 'src-contract imports nothing of ours',
  },
  {
    of: /^src-renderer\//,
    forbid: (target) => target.startsWith('src-main/') || target === 'electron' || target.startsWith('node:'),
    why: 'src-renderer never imports src-main, electron or node:*',
  },
  {
    of: /^src-main\//,
    forbid: (target) => target.startsWith('src-renderer/') || target.startsWith('src-preload/'),
    why: 'src-main never imports the renderer or the preload',
  },
  {
    of: /^src-main\/engine\//,
    forbid: (target) => /^src-main\/(app|ipc|cli|runs|review|storage)\//.test(target),
    why: 'the engine knows nothing of the parts above it',
  },
  {
    of: /^src-(main\/(?!app\/|ipc\/)|contract\/)/,
    forbid: (target) => target === 'electron' || target.startsWith('electron/'),
    why: "only src-main/app and src-main/ipc import 'electron'",
  },
];

const importPattern =
  /\b(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Pairs of [file, imported target] of one source text; targets of ours are paths from the root. */
export function importsOf(file, text) {
  const found = [];
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[1] ?? match[2] ?? match[3];
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
          .split(sep)
          .join('/')
      : specifier;
    found.push(target);
  }
  return found;
}

/** Rule violations of one file, as sentences. */
export function violationsOf(file, text) {
  const violations = [];
  for (const target of importsOf(file, text)) {
    for (const rule of rules) {
      if (rule.of.test(file) && rule.forbid(target))
        violations.push(`${file} imports ${target}: ${rule.why}`);
    }
  }
  return violations;
}

function sourceFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mts)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folders = readdirSync(root).filter((name) => name.startsWith('src-'));
  const violations = folders
    .flatMap(sourceFiles)
    .flatMap((file) => violationsOf(file, readFileSync(join(root, file), 'utf8')));
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exit(1);
  console.log('Import rules hold.');
}
