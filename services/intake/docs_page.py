"""The page at /docs: renders /openapi.json in the browser, with nothing fetched from elsewhere."""

from __future__ import annotations

DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reeve intake API</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{border-top:1px solid #ccc;padding-top:1rem}code,pre{font-family:ui-monospace,monospace;background:#f4f4f4}
pre{padding:.6rem;overflow:auto}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;
text-align:left;vertical-align:top}.verb{text-transform:uppercase;font-weight:bold;color:#1b5e8c}
</style></head><body><h1>Reeve intake API</h1>
<p>Machine-readable: <a href="/openapi.json">OpenAPI</a>, <a href="/asyncapi">AsyncAPI</a> (NATS subjects).</p>
<main id="all">Loading …</main>
<script>
const add = (to, tag, text) => { const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text; to.append(e); return e; };
const show = (to, title, value) => { const d = add(to, "details"); add(d, "summary", title);
  add(d, "pre", JSON.stringify(value, null, 2)); };
fetch("/openapi.json").then(r => r.json()).then(api => {
  const all = document.getElementById("all"); all.textContent = "";
  for (const [path, verbs] of Object.entries(api.paths)) for (const [verb, call] of Object.entries(verbs)) {
    if (verb === "head") continue;
    const h = add(all, "h2"); add(h, "span", verb).className = "verb"; add(h, "span", " "); add(h, "code", path);
    add(all, "p", call.summary); if (call.description) add(all, "p", call.description);
    if (call.parameters) { const t = add(all, "table");
      for (const p of call.parameters) { const r = add(t, "tr"); add(r, "td", p.name); add(r, "td", p.in);
        add(r, "td", p.required ? "required" : ""); add(r, "td", JSON.stringify(p.schema)); } }
    if (call.requestBody) for (const [type, c] of Object.entries(call.requestBody.content)) {
      if (c.example) show(all, "Example: " + type, c.example); else show(all, "Body: " + type, c.schema); }
    const t = add(all, "table");
    for (const [status, r] of Object.entries(call.responses)) { const row = add(t, "tr"); add(row, "th", status);
      add(row, "td", r.description); add(row, "td", Object.keys(r.content || {}).join(", ")); }
  }
  add(all, "h2", "Schemas");
  for (const [name, schema] of Object.entries(api.components.schemas)) show(all, name, schema);
});
</script></body></html>
"""
