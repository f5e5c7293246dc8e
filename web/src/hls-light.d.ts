/** The light build has no types of its own; it is the same library with less in it. */
declare module "hls.js/light" {
  export { default } from "hls.js";
}
