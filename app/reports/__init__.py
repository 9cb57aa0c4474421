"""Papers: the decision pack, made from stored evidence as a page and as a PDF that proves itself."""
