"""Words for refusals of the kernel and its ports."""

MESSAGES = {
    "not_found": "There is no such thing here, or it belongs to a site that is not yours. Check the number, or ask for the site.",
    "not_allowed": "Your role does not include this ({permission}). Ask whoever gives out the roles.",
    "illegal_move": "This {document} is {state}, so it cannot be moved by “{move}”. Reload it to see which moves are open.",
    "reason_required": "Say why: “{move}” of {document!a} is kept with its reason.",
    "busy": "Somebody else holds what this needs. Nothing was changed; try again in a moment.",
    "request_key_reused": "The request key “{key}” was used before for something else. Use a new key for a new request.",
    "request_running": "The request with the key “{key}” is still running. Wait a moment and ask again with the same key.",
    "import_running": "Another import is taking the same documents ({scope}). Wait until it has ended, then start again.",
    "rules_unreadable": "The policy values for this document cannot be read, so nothing is decided. Tell the operations team.",
}
