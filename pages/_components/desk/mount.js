// Streamlit calls a component's script at every change of its data. What the component is stays
// with the element that it is mounted in.

/**
 * @template D
 * @typedef {Object} Made
 * @property {D} desk
 * @property {HTMLElement} root
 * @property {(signal: AbortSignal) => void} start listen, until the signal
 * @property {() => void} stop
 */

/**
 * @template D, T
 * @param {(parent: ParentNode, data: T) => Made<D>} make
 * @returns {(parent: ParentNode, data: T) => { desk: D, isNew: boolean, leave: () => void }}
 *   `leave` is called when the component is taken away; the same element may be given back
 */
export function mounting(make) {
  /** @type {WeakMap<ParentNode, { made: Made<D>, enter: () => void, leave: () => void }>} */
  const mounted = new WeakMap();

  /** @param {Made<D>} made */
  function placed(made) {
    /** @type {AbortController | null} */
    let here = null;
    return {
      made,
      enter() {
        if (here) return;
        here = new AbortController();
        made.start(here.signal);
      },
      leave() {
        here?.abort();
        here = null;
        made.stop();
      },
    };
  }

  return (parent, data) => {
    const known = mounted.get(parent);
    const isNew = !known?.made.root.isConnected;
    if (isNew) known?.leave();
    const place = isNew ? placed(make(parent, data)) : known;
    mounted.set(parent, place);
    place.enter();
    return { desk: place.made.desk, isNew, leave: place.leave };
  };
}
