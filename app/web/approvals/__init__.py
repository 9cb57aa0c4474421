"""Screens of approvals: what waits for me, one request, the rules, who answers for whom."""
