/** One clock for all canvases: at most 20 pictures a second, none for what is out of view or in a hidden tab. */
const LEAST_MS = 42;

interface Painter {
  /** Called when a picture may be due; cheap when nothing changed. */
  paint(nowMs: number): void;
  visible: boolean;
}

const painters = new Set<Painter>();
let running = false;

function frame(nowMs: number): void {
  running = false;
  let seen = false;
  for (const painter of painters) {
    if (!painter.visible) continue;
    seen = true;
    painter.paint(nowMs);
  }
  if (seen) wake();
}

/** The timer stands before the frame: an animation frame that draws nothing still costs the browser a whole one. */
function wake(): void {
  if (running) return;
  running = true;
  setTimeout(() => requestAnimationFrame(frame), LEAST_MS);
}

/** Paints while the element is in view. Returns the end. */
export function onFrames(element: Element, paint: (nowMs: number) => void): () => void {
  const painter: Painter = { paint, visible: false };
  painters.add(painter);
  const sight = new IntersectionObserver(([entry]) => {
    painter.visible = entry?.isIntersecting ?? false;
    if (painter.visible) wake();
  });
  sight.observe(element);
  return () => {
    sight.disconnect();
    painters.delete(painter);
  };
}
