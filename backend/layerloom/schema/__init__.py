"""Wire types. No torch, no SQL: these modules are imported by every process and cost little."""
