/** Objects that are held weakly, in the order in which they were added. */
export class WeakList<T extends object> {
  #references: WeakRef<T>[] = [];
  /** From this length on, those whose object is gone are dropped. */
  #prunesAt = 16;

  add(object: T): void {
    this.#references.push(new WeakRef(object));
    if (this.#references.length < this.#prunesAt) return;
    this.#references = this.#references.filter((reference) => reference.deref() !== undefined);
    this.#prunesAt = 2 * this.#references.length + 16;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const reference of this.#references) {
      const object = reference.deref();
      if (object !== undefined) yield object;
    }
  }
}
