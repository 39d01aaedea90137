for (const path of ["/lazy/", "/users/"]) {
  await (await fetch(path)).text();
  const entry = performance.getEntriesByName(location.origin + path).at(-1);
  const cost = entry.serverTiming.find(({name}) => name === "db");
  console.log(`${path} ${cost.description}`);
}
