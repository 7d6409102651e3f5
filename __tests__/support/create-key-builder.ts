import { KeyBuilder } from '../../lib/hashing/key-builder.js';
import type { KeyOptions } from '../../lib/hashing/key-builder.js';

/** A key builder as a function of the receiver and the arguments. */
export function createKeyBuilder(options: KeyOptions) {
  const keys = new KeyBuilder(options);
  return Object.assign((receiver: unknown, args: readonly unknown[]) => keys.build(receiver, args), {
    buildNew: (receiver: unknown, args: readonly unknown[]) => keys.buildNew(receiver, args),
    isKey: (text: string) => keys.isKey(text),
    recall: (args: readonly unknown[]) => keys.recall(args),
    copyArguments: (args: readonly unknown[]) => keys.copyArguments(args),
    forget: () => keys.forget(),
  });
}
