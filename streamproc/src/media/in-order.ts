/**
 * Works on up to `atOnce` items of a source at a time and yields what came of them in the source's order, each as soon as its turn has come. What
 * the source throws comes behind what it gave before; when this ends, no work is left that still does something.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  const source = items[Symbol.asyncIterator]();
  const under: { item: Item; result: Promise<Result> }[] = [];
  type Read = { readonly value: Item } | "ended" | { readonly error: unknown };
  const read = (): Promise<Read> =>
    source.next().then(
      ({ done, value }) => (done === true ? "ended" : { value }),
      (error: unknown) => ({ error }),
    );
  let next: Promise<Read> | null = null;
  let last: Read | null = null;
  try {
    for (;;) {
      if (next === null && last === null && under.length < atOnce) next = read();
      const [head] = under;
      if (head === undefined && next === null) {
        if (last !== null && last !== "ended" && "error" in last) throw last.error;
        return;
      }
      const came = await Promise.race([
        ...(next === null ? [] : [next.then((read) => ({ read }))]),
        ...(head === undefined ? [] : [head.result.then((result) => ({ result }))]),
      ]);
      if ("read" in came) {
        next = null;
        if (came.read === "ended" || "error" in came.read) {
          last = came.read;
          continue;
        }
        const item = came.read.value;
        const result = work(item);
        // It is awaited in its turn, or at the end.
        result.catch(() => undefined);
        under.push({ item, result });
      } else if (head !== undefined) {
        under.shift();
        yield { item: head.item, result: came.result };
      }
    }
  } finally {
    const ending = source.return?.();
    // A generator ends only after what it is waiting for, which may never come: whoever gave it ends that.
    if (next === null) await ending;
    else ending?.catch(() => undefined);
    await Promise.allSettled(under.map(({ result }) => result));
  }
}
