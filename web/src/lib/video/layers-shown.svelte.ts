/** Which layers of the timeline a person looks at, for as long as the page is open. */
class Layers {
  moods = $state(true);
  pins = $state(true);
  loud = $state(true);
  cuts = $state(false);
}
export const layers = new Layers();
