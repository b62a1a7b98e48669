/** The program's processes, for tests that end them. */
import type { ElectronApplication } from 'playwright-core';

/** As main.ts names them for the system. */
export type ServiceName = 'Readroom engine' | 'Readroom project';

/** @returns 0 where it does not run now */
export const pidOf = (app: ElectronApplication, service: ServiceName): Promise<number> =>
  app.evaluate(
    ({ app: program }, wanted) =>
      program.getAppMetrics().find(({ name, serviceName }) => `${name} ${serviceName}`.includes(wanted))
        ?.pid ?? 0,
    service,
  );

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
