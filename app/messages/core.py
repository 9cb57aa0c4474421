"""Words for refusals of the core: master data, orders, stock, billing, ledger."""

MESSAGES: dict[str, str] = {}
