"""The plugin by which opencode fetches what it is told while it works: with the result of its next tool.

What is to be told lies as a folder `offer` in the one that ORCHGIT_OFFERS names; the first tool of the session itself,
not of one within it, takes it away. That the plugin was loaded is seen by the file `ready`.
"""

from __future__ import annotations

from typing import Final

NAME: Final = "plugin.js"
MOST: Final = 32 << 10  # bytes of a message
CODE: Final = """\
import { readFileSync, renameSync, writeFileSync } from "node:fs"

export const Orchgit = async () => {
  const where = process.env.ORCHGIT_OFFERS
  if (!where) return {}
  try { writeFileSync(`${where}/ready`, "") } catch {}
  const within = new Set()
  let count = 0
  return {
    event: async ({ event }) => {
      const session = event?.type === "session.created" ? event.properties?.info : undefined
      if (session?.parentID) within.add(session.id)
    },
    "tool.execute.after": async (input, output) => {
      if (within.has(input.sessionID) || typeof output?.output !== "string") return
      const fetched = `${where}/fetched.${++count}`
      try {
        renameSync(`${where}/offer`, fetched)
        output.output += "\\n\\n" + readFileSync(`${fetched}/words`, "utf8")
      } catch {}
    },
  }
}
"""


def offer(text: str) -> dict[str, str]:
    """Return the files of an offer, by their names."""
    return {"words": text}
