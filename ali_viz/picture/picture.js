// The widget: keeps what Python sends, and makes a view for each place where it is shown.

import { Store } from "./store.js";
import { View } from "./view.js";

/** One for each model, as anywidget wants it: all views of a model see the same store, and models share nothing. */
export default () => {
  const store = new Store();
  return {
    initialize({ model }) {
      const heard = (message, buffers) => {
        if (message.kind === "show") {
          if (store.receive(message, buffers)) for (const view of store.listeners) view.shown(message.moving);
        } else if (message.kind === "details") for (const view of store.listeners) view.told(message, buffers);
      };
      model.on("msg:custom", heard);
      model.send({ kind: "hello" });
      return () => model.off("msg:custom", heard);
    },
    render({ model, el }) {
      const view = new View(model, el, store);
      return () => view.remove();
    },
  };
};
