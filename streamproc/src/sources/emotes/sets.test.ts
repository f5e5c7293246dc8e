import { expect, test } from "vitest";
import { applyChange, mergeSets } from "./sets.ts";
import { readSetChange } from "./seventv-events.ts";

test("a channel's own emote goes before a global one, whoever provides it", () => {
  const { names } = mergeSets([
    { provider: "bttv", emotes: [["own", "catJAM"]] },
    {
      provider: "7tv",
      emotes: [
        ["other", "catJAM"],
        ["peepo", "peepoHey"],
      ],
    },
    { provider: "ffz", emotes: [["global", "peepoHey"]] },
  ]);
  expect([...names]).toEqual([
    ["catJAM", "bttv:own"],
    ["peepoHey", "7tv:peepo"],
  ]);
});

test("the hash says which names mean which emotes, whatever the order they came in", () => {
  const one = mergeSets([
    {
      provider: "7tv",
      emotes: [
        ["1", "a"],
        ["2", "b"],
      ],
    },
  ]);
  const other = mergeSets([
    {
      provider: "7tv",
      emotes: [
        ["2", "b"],
        ["1", "a"],
      ],
    },
  ]);
  const changed = mergeSets([
    {
      provider: "7tv",
      emotes: [
        ["3", "b"],
        ["1", "a"],
      ],
    },
  ]);
  expect(one.hash).toBe(other.hash);
  expect(one.hash).not.toBe(changed.hash);
  expect(mergeSets([]).hash).toBe("");
});

test("7TV's dispatch is read: added, removed, renamed; other keys and broken items are passed over", () => {
  const change = readSetChange({
    id: "set-1",
    pushed: [
      { key: "emotes", index: 3, value: { id: "n", name: "NewOne" } },
      { key: "emotes", value: { id: "x", name: "two words" } },
    ],
    pulled: [
      { key: "emotes", old_value: { id: "o", name: "OldOne" } },
      { key: "owner", old_value: { id: "o", name: "me" } },
    ],
    updated: [{ key: "emotes", old_value: { id: "r", name: "Before" }, value: { id: "r", name: "After" } }],
  });
  expect(change).toEqual({
    setId: "set-1",
    removed: [
      ["o", "OldOne"],
      ["r", "Before"],
    ],
    added: [
      ["n", "NewOne"],
      ["r", "After"],
    ],
  });
  const before: [string, string][] = [
    ["o", "OldOne"],
    ["r", "Before"],
    ["k", "Kept"],
  ];
  const after = applyChange(before, change ?? { setId: "", removed: [], added: [] });
  expect(after).toEqual([
    ["k", "Kept"],
    ["n", "NewOne"],
    ["r", "After"],
  ]);
  // The same dispatch again, as after a resumed session, changes nothing more.
  expect(applyChange(after, change ?? { setId: "", removed: [], added: [] })).toEqual([
    ["k", "Kept"],
    ["n", "NewOne"],
    ["r", "After"],
  ]);
});

test.each([
  null,
  5,
  {},
  { id: 5 },
  { id: "s" },
  { id: "s", pushed: "no" },
  { id: "s", pushed: [{ key: "emotes", value: null }] },
])("%j changes nothing", (body) => {
  expect(readSetChange(body)).toBeNull();
});
