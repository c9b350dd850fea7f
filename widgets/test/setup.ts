// jsdom draws nothing: a canvas without a context is what the view must live with.
HTMLCanvasElement.prototype.getContext = () => null;
