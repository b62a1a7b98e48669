/** Collects the nodes, inputs, outputs and weights of one ONNX graph. Knows ONNX, knows nothing of the model. */
import {
  type AttributeValue,
  attribute,
  type Dimension,
  type ElementType,
  elementTypes,
  externalTensor,
  type GraphProto,
  inlineTensor,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
  valueInfo,
} from '../onnx/model-proto.ts';
import type { WeightJob } from '../weights/weight-job.ts';

/** Operators that ONNX Runtime adds to the standard's. */
export const contrib = 'com.microsoft';

const irVersion = 10;
/** The lowest that has all the operators used; newer ones gain nothing here. */
const opset = 18;

/** Where a job's outputs lie, in the order of `job.outputs`. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

interface NodeOptions {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Names for the outputs; without it the node has one output with a made-up name. */
  readonly outputs?: readonly string[];
}

export class GraphBuilder {
  readonly name: string;
  readonly jobs: WeightJob[] = [];
  /** Of the graph or branch that is being built. */
  #nodes: NodeProto[] = [];
  #nodeCount = 0;
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #constants = new Map<string, TensorProto>();

  constructor(name: string) {
    this.name = name;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Declares that the value `name`, made by some node, is an output of the graph. */
  output(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** Adds a node; '' among the inputs leaves an optional one out. Returns the name of its first output. */
  node(opType: string, inputs: readonly string[], options: NodeOptions = {}): string {
    // Counted over all branches: a name may not be used again within them.
    const name = `${opType}_${this.#nodeCount++}`;
    const output = options.outputs ?? [`${name}_out`];
    this.#nodes.push({
      name,
      opType,
      domain: options.domain ?? '',
      input: inputs,
      output,
      attribute: Object.entries(options.attributes ?? {}).map(([key, value]) => attribute(key, value)),
    });
    return output[0]!;
  }

  /**
   * `then` or `otherwise`, decided at run time: each adds nodes and returns the value that is the result. Weights and
   * constants are the whole graph's; values made outside may be used inside, not the other way round.
   */
  either(
    condition: string,
    result: { readonly type: ElementType; readonly shape: readonly Dimension[] },
    then: () => string,
    otherwise: () => string,
  ): string {
    const branch = (make: () => string): GraphProto => {
      const outer = this.#nodes;
      this.#nodes = [];
      const made = make();
      const node = this.#nodes;
      this.#nodes = outer;
      const output = [valueInfo(made, result.type, result.shape)];
      return { name: made, node, initializer: [], input: [], output };
    };
    return this.node('If', [condition], {
      attributes: { then_branch: { graph: branch(then) }, else_branch: { graph: branch(otherwise) } },
    });
  }

  /** A constant int64 vector. */
  ints(values: readonly number[]): string {
    const name = `int64[${values.join(',')}]`;
    if (!this.#constants.has(name)) {
      const data = BigInt64Array.from(values, BigInt);
      this.#constants.set(name, inlineTensor(name, 'int64', [values.length], data));
    }
    return name;
  }

  cast(value: string, to: ElementType, output?: string): string {
    const outputs = output === undefined ? undefined : [output];
    return this.node('Cast', [value], { attributes: { to: { int: elementTypes[to] } }, outputs });
  }

  /** Reshape to a shape known now; -1 stands for the rest. */
  reshape(value: string, shape: readonly number[], output?: string): string {
    const outputs = output === undefined ? undefined : [output];
    return this.node('Reshape', [value, this.ints(shape)], { outputs });
  }

  /** One size of a value's shape, as an int64 vector of length 1. */
  size(value: string, axis: number): string {
    return this.node('Shape', [value], { attributes: { start: { int: axis }, end: { int: axis + 1 } } });
  }

  /** Joins int64 vectors into a shape. */
  shape(sizes: readonly string[]): string {
    return this.node('Concat', sizes, { attributes: { axis: { int: 0 } } });
  }

  /** Adds a weight and returns the names of its initialisers. */
  weight(job: WeightJob): readonly string[] {
    this.jobs.push(job);
    return job.outputs.map((output) => output.name);
  }

  /** The finished model, once every job has its place. */
  build(places: ReadonlyMap<string, readonly Place[]>): ModelProto {
    const weights = this.jobs.flatMap((job) => {
      const where = places.get(job.key);
      if (where === undefined) throw new Error(`No place for ${job.key}`);
      return job.outputs.map((output, i) =>
        externalTensor(output.name, output.type, output.dims, { ...where[i]!, bytes: output.bytes }),
      );
    });
    return {
      irVersion,
      opsetImport: [
        { domain: '', version: opset },
        { domain: contrib, version: 1 },
      ],
      producerName: 'readroom',
      graph: {
        name: this.name,
        node: this.#nodes,
        initializer: [...this.#constants.values(), ...weights],
        input: this.#inputs,
        output: this.#outputs,
      },
    };
  }
}
