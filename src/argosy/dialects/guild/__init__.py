"""The Guild AI front-end: `guild.yml` to workflows. `schema` has its words, `lower` is what knows both languages."""
