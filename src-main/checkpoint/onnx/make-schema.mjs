// Makes onnx-schema.json, protobufjs's descriptor of onnx.proto, so that nothing parses .proto text at run time.
// onnx.proto is that of the PyPI package onnx 1.23.2 (Apache-2.0, copyright ONNX Project Contributors), unchanged.
//
//   node src-main/checkpoint/onnx/make-schema.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const read = (name) => new URL(name, import.meta.url);
const { root } = protobuf.parse(readFileSync(read('onnx.proto'), 'utf8'), { keepCase: false });
writeFileSync(read('onnx-schema.json'), `${JSON.stringify(root.toJSON(), null, 1)}\n`);
