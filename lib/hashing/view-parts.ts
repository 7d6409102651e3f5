import { methodOf } from './intrinsics.js';

/** The part of a buffer that a typed array or a DataView shows. */
export interface ViewParts {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The number of elements: none in a DataView. */
  readonly length: number;
}

const typedArray = readersOf(Uint8Array.prototype);
const dataView = readersOf(DataView.prototype);
const lengthOf = methodOf(Uint8Array.prototype, 'length', 'get');

/** Reads internal state only. Throws for an object that has none. */
export function viewParts(view: object, isDataView: boolean): ViewParts {
  const { buffer, byteOffset, byteLength } = isDataView ? dataView : typedArray;
  return {
    buffer: buffer(view) as ArrayBuffer,
    byteOffset: byteOffset(view) as number,
    byteLength: byteLength(view) as number,
    length: isDataView ? 0 : (lengthOf(view) as number),
  };
}

function readersOf(prototype: object) {
  return {
    buffer: methodOf(prototype, 'buffer', 'get'),
    byteOffset: methodOf(prototype, 'byteOffset', 'get'),
    byteLength: methodOf(prototype, 'byteLength', 'get'),
  };
}
