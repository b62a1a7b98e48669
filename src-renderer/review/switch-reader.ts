/** Another reader takes over: what the one before has done, and the time it took, is on the disk first. */
import { chooseReader } from '../project/project-store.ts';
import { keepTime, settled } from './edits.ts';

export async function switchReader(readerId: string): Promise<void> {
  await keepTime();
  await settled();
  await chooseReader(readerId);
}
