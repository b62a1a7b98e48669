/**
 * LLaMA-Factory: readroom.json (openai messages, image paths relative to this folder), images/, and dataset_info.json
 * with its entry. Train with `dataset_dir` and `media_dir` set to this folder and `dataset: readroom`.
 * Rules: hiyouga/LLaMA-Factory src/llamafactory/data/{parser,converter}.py; every `<image>` has one path.
 */
import type { ExportOptions, FormatWriter } from '../export-run.ts';
import type { OutputFolder } from '../output-folder.ts';
import { sampleOf } from './sample.ts';

const datasetInfo = {
  readroom: {
    file_name: 'readroom.json',
    formatting: 'openai',
    columns: { messages: 'messages', images: 'images' },
    tags: {
      role_tag: 'role',
      content_tag: 'content',
      user_tag: 'user',
      assistant_tag: 'assistant',
      system_tag: 'system',
    },
  },
};

export async function openLlamaFactory(folder: OutputFolder, _options: ExportOptions): Promise<FormatWriter> {
  await folder.write('dataset_info.json', `${JSON.stringify(datasetInfo, null, 2)}\n`);
  const records = await folder.openFile('readroom.json');
  const provenance = await folder.openFile('provenance.jsonl');
  await records.write('[');
  let count = 0;
  return {
    async add(item) {
      const { messages, images, provenance: origin } = await sampleOf(item);
      const paths: string[] = [];
      for (const { id, png } of images) {
        const path = `images/${id}.png`;
        if (!(await folder.has(path))) await folder.write(path, await png());
        paths.push(path);
      }
      await records.write(`${count++ > 0 ? ',' : ''}\n${JSON.stringify({ messages, images: paths })}`);
      await provenance.write(`${JSON.stringify(origin)}\n`);
    },
    async finish() {
      await records.write('\n]\n');
      await records.close();
      await provenance.close();
    },
  };
}
