import { expect, test } from "vitest";
import { sceneOf, type SceneFacts } from "./scenes.ts";

const camera: SceneFacts = {
  ad: false,
  blackShare: 0,
  frozenShare: 0,
  text: 0.02,
  sharpness: 0.4,
  colourfulness: 0.2,
  cameraMotion: 0,
  objectMotion: 0.1,
  borderMotion: 0.8,
};

test.each<[string, Partial<SceneFacts>, string]>([
  ["an advertisement, whatever it shows", { ad: true, blackShare: 1 }, "break"],
  ["a black screen", { blackShare: 1, frozenShare: 1 }, "menu"],
  ["still text", { frozenShare: 0.9, text: 0.2 }, "menu"],
  ["still text with something that blinks", { objectMotion: 0.005, text: 0.1 }, "menu"],
  ["a picture that stands still without text", { frozenShare: 1, objectMotion: 0 }, "other"],
  ["a level that scrolls", { cameraMotion: 0.3 }, "game"],
  ["hard edges and full colours", { sharpness: 0.7, colourfulness: 0.4 }, "game"],
  ["something in the middle before a background that stands still", { borderMotion: 0.1 }, "talking_head"],
  ["movement everywhere before a camera", {}, "other"],
])("%s", (_, facts, scene) => {
  expect(sceneOf({ ...camera, ...facts })).toBe(scene);
});
