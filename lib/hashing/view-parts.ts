import { methodOf } from './intrinsics.js';

/** The part of a buffer that a typed array or a DataView shows. */
export interface ViewParts {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The number of elements: none in a DataView. */
  readonly length: number;
}

const typedArray = {
  buffer: methodOf(Uint8Array.prototype, 'buffer', 'get'),
  byteOffset: methodOf(Uint8Array.prototype, 'byteOffset', 'get'),
  byteLength: methodOf(Uint8Array.prototype, 'byteLength', 'get'),
  length: methodOf(Uint8Array.prototype, 'length', 'get'),
};

const dataView = {
  buffer: methodOf(DataView.prototype, 'buffer', 'get'),
  byteOffset: methodOf(DataView.prototype, 'byteOffset', 'get'),
  byteLength: methodOf(DataView.prototype, 'byteLength', 'get'),
  length: () => 0,
};

/** Reads internal state only. Throws for an object that has none. */
export function viewParts(view: object, isDataView: boolean): ViewParts {
  const { buffer, byteOffset, byteLength, length } = isDataView ? dataView : typedArray;
  return {
    buffer: buffer(view) as ArrayBuffer,
    byteOffset: byteOffset(view) as number,
    byteLength: byteLength(view) as number,
    length: length(view) as number,
  };
}
