/**
 * The program of the codec worker, as plain JavaScript text: a worker started from text needs no file of its own, so
 * it runs alike from sources, from a bundle and from a packaged application.
 *
 * It takes { id, path, decoder, encoded } and answers { id, bytes, frame, interleave } or { id, error }. A codec that
 * threw, or that grew large, is thrown away with its memory: a damaged file must not spoil the files after it.
 */
export const codecWorkerSource = `
const { parentPort, workerData } = require('node:worker_threads');
const modules = new Map();

function load(path) {
  let module = modules.get(path);
  if (!module) {
    // The codecs print their complaints; they are told by the error that follows.
    module = require(path)({ print() {}, printErr() {} });
    modules.set(path, module);
  }
  return module;
}

function describe(module, thrown) {
  try {
    const message = module && module.getExceptionMessage && module.getExceptionMessage(thrown);
    if (message) return Array.isArray(message) ? message.join(': ') : String(message);
  } catch {
    // An exception that the module can't name either.
  }
  return thrown instanceof Error ? thrown.message : 'the codec stopped (' + String(thrown) + ')';
}

parentPort.on('message', async ({ id, path, decoder, encoded }) => {
  let module;
  try {
    module = await load(path);
    const codec = new module[decoder]();
    codec.getEncodedBuffer(encoded.length).set(encoded);
    codec.decode();
    const { width, height, bitsPerSample, componentCount } = codec.getFrameInfo();
    const bytes = Uint8Array.from(codec.getDecodedBuffer());
    const interleave = codec.getInterleaveMode ? codec.getInterleaveMode() : 2;
    codec.delete();
    if (module.HEAPU8.length > workerData.maxKeptBytes) modules.delete(path);
    const frame = { width, height, bitsPerSample, componentCount };
    parentPort.postMessage({ id, bytes, frame, interleave }, [bytes.buffer]);
  } catch (thrown) {
    modules.delete(path);
    parentPort.postMessage({ id, error: describe(module, thrown) });
  }
});
parentPort.postMessage({ ready: true });
`;
