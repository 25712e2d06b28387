// The browser's storage, as far as the journal uses it, in memory.

/** @implements {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} */
export class MemoryStore {
  kept = new Map();

  get length() {
    return this.kept.size;
  }

  key(i) {
    return [...this.kept.keys()][i] ?? null;
  }

  getItem(key) {
    return this.kept.get(key) ?? null;
  }

  setItem(key, text) {
    this.kept.set(key, String(text));
  }

  removeItem(key) {
    this.kept.delete(key);
  }
}

/** Storage of a browser that forbids it: it is there, and throws. */
export class ForbiddenStore extends MemoryStore {
  get length() {
    throw new Error("SecurityError");
  }

  setItem() {
    throw new Error("QuotaExceededError");
  }

  removeItem() {
    throw new Error("SecurityError");
  }
}
