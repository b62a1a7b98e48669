/**
 * ONNX's protobuf messages as we fill them, and their encoding through the official schema (onnx.proto).
 * Only what the graphs of a container use is typed here; names are protobufjs's camel case of the schema's.
 */
import protobuf from 'protobufjs/light.js';
import schema from './onnx-schema.json' with { type: 'json' };

/** TensorProto.DataType */
export const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type ElementType = keyof typeof elementTypes;
export const elementBytes: Record<ElementType, number> = {
  float32: 4,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, graph: 5, ints: 7 } as const;
/** TensorProto.DataLocation.EXTERNAL */
const external = 1;

export type AttributeValue =
  | { float: number }
  | { int: number }
  | { ints: readonly number[] }
  | { graph: GraphProto };

export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  ints?: readonly number[];
  g?: GraphProto;
}

export interface NodeProto {
  name: string;
  opType: string;
  domain: string;
  input: readonly string[];
  output: readonly string[];
  attribute: readonly AttributeProto[];
}

export interface TensorProto {
  name: string;
  dataType: number;
  dims: readonly number[];
  rawData?: Uint8Array;
  dataLocation?: number;
  externalData?: readonly { key: string; value: string }[];
}

/** A dimension is a number, or the name of one that is known only at run time. */
export type Dimension = number | string;

export interface ValueInfoProto {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: readonly ({ dimValue: number } | { dimParam: string })[] };
    };
  };
}

export interface GraphProto {
  name: string;
  node: readonly NodeProto[];
  initializer: readonly TensorProto[];
  input: readonly ValueInfoProto[];
  output: readonly ValueInfoProto[];
}

export interface ModelProto {
  irVersion: number;
  opsetImport: readonly { domain: string; version: number }[];
  producerName: string;
  graph: GraphProto;
}

const modelType = protobuf.Root.fromJSON(schema).lookupType('onnx.ModelProto');

/** The bytes of an .onnx file. */
export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

export function attribute(name: string, value: AttributeValue): AttributeProto {
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  if ('int' in value) return { name, type: attributeTypes.int, i: value.int };
  if ('graph' in value) return { name, type: attributeTypes.graph, g: value.graph };
  return { name, type: attributeTypes.ints, ints: value.ints };
}

export function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

/** A small tensor whose bytes live in the .onnx file itself. */
export function inlineTensor(
  name: string,
  type: ElementType,
  dims: readonly number[],
  data: ArrayBufferView,
): TensorProto {
  return {
    name,
    dataType: elementTypes[type],
    dims,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

/** A tensor whose bytes lie in a file beside the .onnx file. */
export function externalTensor(
  name: string,
  type: ElementType,
  dims: readonly number[],
  place: { file: string; offset: number; bytes: number },
): TensorProto {
  return {
    name,
    dataType: elementTypes[type],
    dims,
    dataLocation: external,
    externalData: [
      { key: 'location', value: place.file },
      { key: 'offset', value: String(place.offset) },
      { key: 'length', value: String(place.bytes) },
    ],
  };
}
