/** An engine process for tests: the real server and channel, a scripted model. The "container folder" is its script. */
import { createFakeModel } from '../grounding/fake-model.ts';
import { serveEngine } from './server.ts';
import { parentOfFork } from './transport.ts';

/** What a test asks of the process, as JSON in place of a container folder. */
export interface TestModel {
  readonly script: readonly string[];
  /** Milliseconds a decoder step takes, during which messages come in. */
  readonly stepMs?: number;
  /** The step at which something goes wrong, and what. */
  readonly atStep?: number;
  readonly disaster?: 'hang' | 'bad-alloc' | 'exit' | 'throw' | 'babble';
}

const port = parentOfFork();

function strike(disaster: TestModel['disaster']): void {
  switch (disaster) {
    case 'hang':
      for (;;);
    case 'bad-alloc':
      // What libstdc++ prints before it aborts.
      process.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n", () =>
        process.abort(),
      );
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      break;
    case 'exit':
      process.exit(3);
      break;
    case 'throw':
      throw new RangeError('Array buffer allocation failed');
    case 'babble':
      port.send('not of the protocol');
      port.send({ kind: 'result', id: 999, value: null });
      port.send({ kind: 'event', id: 'x', event: {} });
      break;
    default:
      break;
  }
}

serveEngine(
  port,
  async ({ containerDir }, { onProgress }) => {
    const { script, stepMs = 0, atStep, disaster } = JSON.parse(containerDir) as TestModel;
    onProgress(1, 1);
    return createFakeModel({
      script,
      async onStep(step) {
        if (stepMs > 0) await new Promise((resolve) => setTimeout(resolve, stepMs));
        if (step === atStep) strike(disaster);
      },
    });
  },
  () => process.exit(0),
);
