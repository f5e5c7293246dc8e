import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "./bytes.ts";

test("what is written comes back to the last bit, in any order", () => {
  const piece = fc.oneof(
    fc.record({
      as: fc.constant("number" as const),
      value: fc.oneof(fc.double(), fc.maxSafeNat(), fc.integer()),
    }),
    fc.record({ as: fc.constant("uint" as const), value: fc.oneof(fc.nat(300), fc.maxSafeNat()) }),
    fc.record({ as: fc.constant("text" as const), value: fc.string({ unit: "grapheme" }) }),
    fc.record({ as: fc.constant("word" as const), value: fc.constantFrom("KEKW", "Sadge", "", "ёлка") }),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const out = new ByteWriter();
      for (const { as, value } of pieces)
        if (as === "number") out.number(value);
        else if (as === "uint") out.uint(value);
        else if (as === "text") out.text(value);
        else out.word(value);
      const bytes = new ByteReader(out.done());
      for (const { as, value } of pieces) expect(bytes[as]()).toBe(value);
    }),
  );
});

test.each([0, -0, NaN, -Infinity, 2 ** 52, 2 ** 53, 1.5, -1])("the number %d", (value) => {
  const out = new ByteWriter();
  out.number(value);
  expect(new ByteReader(out.done()).number()).toBe(value);
});

test("more than a buffer holds, while another state is being written", () => {
  const outer = new ByteWriter();
  const many = Uint32Array.from({ length: 20_000 }, (_, i) => i * 7);
  outer.u32s(many, many.length);
  const inner = new ByteWriter();
  inner.text("inside");
  outer.raw(inner.done());
  const bytes = new ByteReader(outer.done());
  expect(bytes.u32s(many.length)).toEqual(many);
  expect(new ByteReader(bytes.raw()).text()).toBe("inside");
});

test("a state that was cut off is refused", () => {
  const out = new ByteWriter();
  out.text("a long text");
  const cut = out.done().subarray(0, 5);
  expect(() => new ByteReader(cut).text()).toThrow("the saved state ends too early");
});
