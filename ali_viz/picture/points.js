// The points on the screen: one WebGL2 context, one draw call for each class of each layer.

import { CELL, N_CELLS, drawAtlas } from "./shapes.js";

/**
 * @typedef {object} Batch Points of one class that are drawn alike.
 * @property {Float32Array} from, to places before and after a motion, the same array when they only shift and scale
 * @property {number[]} fromMap, toMap ax, ay, bx, by: from points to the clip space of the pane
 * @property {number} cell of the atlas
 * @property {boolean} hollow
 * @property {number} size in CSS pixels
 * @property {number[]} colour red, green, blue, alpha, 0 to 1
 * @property {boolean} rimmed whether it is seen on every ground only with a rim
 * @property {Uint8Array | null} tint entry of the palette for each point; the alpha of an entry says whether it is rimmed
 * @property {Uint8Array | null} chosen 1 for each point that stands out
 */
/** @typedef {{x: number, y: number, width: number, height: number}} Rectangle in CSS pixels from the upper left */

const VERTEX = `#version 300 es
in vec2 from; in vec2 to; in float tint; in float chosen;
uniform vec4 fromMap, toMap, colour;
uniform float share, size, faint, rimmed;
uniform bool tinted;
uniform sampler2D palette;
out vec4 paint;
out float rim;
void main() {
  vec2 place = mix(from * fromMap.xy + fromMap.zw, to * toMap.xy + toMap.zw, share);
  bool known = place.x == place.x && place.y == place.y;
  gl_Position = known ? vec4(place, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size;
  vec4 hue = tinted ? texelFetch(palette, ivec2(int(tint), 0), 0) : vec4(colour.rgb, rimmed);
  float alpha = colour.a * mix(faint, 1.0, chosen);
  paint = vec4(hue.rgb * alpha, alpha);
  rim = hue.a * alpha;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 paint;
in float rim;
uniform sampler2D atlas;
uniform float cell, hollow;
uniform vec3 ink;
out vec4 colour;
void main() {
  vec3 cover = texture(atlas, vec2((cell + gl_PointCoord.x) / ${N_CELLS}.0, gl_PointCoord.y)).rgb;
  float body = mix(cover.r, cover.g, hollow);
  colour = paint * body + vec4(ink, 1.0) * (0.55 * rim * cover.b * (1.0 - body));
}`;
const UNIFORMS = ["fromMap", "toMap", "colour", "share", "size", "faint", "tinted", "palette", "atlas", "cell", "hollow", "rimmed", "ink"];
const FAINT = 0.12;
const FILLED = 1.15; // a shape fills 7/8 of its cell

/** Whether two values are the same: typed arrays by identity, lists and objects by what is in them. */
function alike(one, other) {
  if (one === other) return true;
  if (!(one instanceof Object && other instanceof Object) || ArrayBuffer.isView(one)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => alike(one[key], other[key]));
}

/** Draws batches of points into a canvas; after a loss of the context {@link Points.restore} makes all anew. */
export class Points {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    const kept = { preserveDrawingBuffer: true }; // a pane that looks as before is not drawn again
    this.gl = canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false, powerPreference: "high-performance", ...kept });
    this.usable = this.gl !== null;
    this.ink = [0, 0, 0]; // of rims: red, green, blue, 0 to 1
    if (this.usable) this.restore();
  }

  /** Make the program, the atlas and no buffers; whatever was made before is gone with the old context. */
  restore() {
    const gl = this.gl;
    this.buffers = new Map();
    this.palette = null;
    this.drawn = [];
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    const slots = { from: 0, to: 1, tint: 2, chosen: 3 }; // slot 0 must be one that is always fed
    for (const [name, slot] of Object.entries(slots)) gl.bindAttribLocation(program, slot, name);
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(`the shaders do not work here: ${gl.getProgramInfoLog(program)}`);
    gl.useProgram(program);
    this.at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]));
    this.slots = slots;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enable(gl.SCISSOR_TEST);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, drawAtlas());
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.uniform1i(this.at.atlas, 0);
    this.paletteTexture = gl.createTexture();
    gl.uniform1i(this.at.palette, 1);
  }

  /** @param {number} width @param {number} height in CSS pixels @param {number} ratio device pixels for one of them */
  resize(width, height, ratio) {
    this.ratio = ratio;
    const [across, down] = [Math.max(Math.round(width * ratio), 1), Math.max(Math.round(height * ratio), 1)];
    if (this.canvas.width === across && this.canvas.height === down) return;
    [this.canvas.width, this.canvas.height, this.drawn] = [across, down, []];
  }

  /** @param {Uint8Array | null} colours 256 × 4 bytes for tinted points */
  setPalette(colours) {
    if (colours === this.palette || colours === null) return;
    const gl = this.gl;
    this.palette = colours;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.paletteTexture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, colours);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.activeTexture(gl.TEXTURE0);
  }

  /** Free the buffers of arrays that are in none of the sets @param {Set<ArrayBufferView>} kept */
  forget(kept) {
    for (const [array, buffer] of this.buffers)
      if (!kept.has(array)) {
        this.gl.deleteBuffer(buffer);
        this.buffers.delete(array);
      }
  }

  /**
   * Draw the panes that look otherwise than before.
   * @param {{area: Rectangle, batches: Batch[]}[]} panes
   * @param {number} share of the motion that is done, 0 to 1
   * @param {number} every draw each point only (1), or one of so many, up to 31, while something moves
   * @returns {boolean} whether all of them were drawn
   */
  draw(panes, share, every) {
    const { gl, at, ink, palette } = this;
    if (!alike(panes.map(({ area }) => area), this.drawn.map(({ area }) => area))) {
      gl.scissor(0, 0, this.canvas.width, this.canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      this.drawn = [];
    }
    gl.uniform1f(at.share, share);
    gl.uniform3fv(at.ink, ink);
    const looks = panes.map((pane) => ({ ...pane, share, every, ink, palette }));
    const stale = looks.filter((look, k) => !alike(look, this.drawn[k]));
    for (const { area, batches } of stale) {
      const edges = [area.x, this.canvas.height / this.ratio - area.y - area.height, area.width, area.height];
      const pixels = edges.map((value) => Math.round(value * this.ratio));
      gl.viewport(...pixels);
      gl.scissor(...pixels);
      gl.clear(gl.COLOR_BUFFER_BIT);
      for (const batch of batches) this.drawBatch(batch, every);
    }
    this.drawn = looks;
    return stale.length === panes.length;
  }

  drawBatch(batch, every) {
    const { gl, at } = this;
    gl.uniform4fv(at.fromMap, batch.fromMap);
    gl.uniform4fv(at.toMap, batch.toMap);
    gl.uniform4fv(at.colour, batch.colour);
    gl.uniform1f(at.size, batch.size * FILLED * this.ratio);
    gl.uniform1f(at.cell, batch.cell);
    gl.uniform1f(at.hollow, batch.hollow ? 1 : 0);
    gl.uniform1f(at.rimmed, batch.rimmed ? 1 : 0);
    gl.uniform1i(at.tinted, batch.tint === null ? 0 : 1);
    gl.uniform1f(at.faint, batch.chosen === null ? 1 : FAINT);
    this.feed("from", batch.from, 2, every);
    this.feed("to", batch.to, 2, every);
    this.feed("tint", batch.tint, 1, every);
    this.feed("chosen", batch.chosen, 1, every);
    gl.drawArrays(gl.POINTS, 0, Math.ceil(batch.to.length / 2 / every));
  }

  feed(name, array, width, every) {
    const { gl } = this;
    const slot = this.slots[name];
    if (array === null) {
      gl.disableVertexAttribArray(slot);
      gl.vertexAttrib1f(slot, 1);
      return;
    }
    let buffer = this.buffers.get(array);
    if (buffer === undefined) {
      buffer = gl.createBuffer();
      this.buffers.set(array, buffer);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    } else gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(slot);
    const kind = array instanceof Float32Array ? gl.FLOAT : gl.UNSIGNED_BYTE;
    gl.vertexAttribPointer(slot, width, kind, false, width * array.BYTES_PER_ELEMENT * every, 0);
  }

  /** Call `told` with the milliseconds until everything drawn so far is on the screen. */
  timed(told) {
    const { gl } = this;
    const began = performance.now();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const look = () => {
      if (gl.isContextLost()) return;
      if (gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) {
        gl.deleteSync(fence);
        told(performance.now() - began);
      } else setTimeout(look, 4);
    };
    setTimeout(look, 0);
  }

  /** Give the context back to the browser, which has only few. */
  free() {
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
