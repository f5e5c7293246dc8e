/** Works on up to `atOnce` items of a source at a time and yields what came of them in the source's order, each as soon as its turn has come. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  const source = items[Symbol.asyncIterator]();
  const under: { item: Item; result: Promise<Result> }[] = [];
  let next: Promise<IteratorResult<Item>> | null = null;
  let ended = false;
  try {
    for (;;) {
      if (next === null && !ended && under.length < atOnce) {
        next = source.next();
        // It is awaited below, maybe after something else has failed.
        next.catch(() => undefined);
      }
      const [head] = under;
      if (head === undefined && next === null) return;
      const came = await Promise.race([
        ...(next === null ? [] : [next.then((read) => ({ read }))]),
        ...(head === undefined ? [] : [head.result.then((result) => ({ result }))]),
      ]);
      if ("read" in came) {
        next = null;
        if (came.read.done === true) {
          ended = true;
          continue;
        }
        const item = came.read.value;
        const result = work(item);
        result.catch(() => undefined);
        under.push({ item, result });
      } else if (head !== undefined) {
        under.shift();
        yield { item: head.item, result: came.result };
      }
    }
  } finally {
    await source.return?.();
  }
}
