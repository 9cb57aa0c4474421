"""Every posted invoice and credit memo of the demo can be given to other programs, or says what it lacks; by the official rules."""

from __future__ import annotations

from collections import defaultdict

from app.composition.uow import reading
from app.queries.einvoices import invoice_document, memo_document
from app.reports.cii import cii
from app.reports.einvoices import facturx_file
from app.reports.ubl import ubl
from erpcore.billing.einvoice.rules import differences, lacking
from erpcore.kernel.actor import Actor
from tests.support.archive import broken_rules
from tests.support.demo import rows
from tests.support.einvoice_rules import officially_broken

#: So many documents of each shape are put before the official rules; all of them before ours.
OF_EACH = 4


def test_every_document_of_the_demo_is_sound_and_the_official_rules_accept_each_shape(demo, tmp_path):
    anybody = Actor.system("test")
    asked = [
        (invoice_document, key) for (key,) in rows(demo, "SELECT id FROM invoice WHERE state = 'posted' ORDER BY id")
    ]
    asked += [(memo_document, key) for (key,) in rows(demo, "SELECT id FROM credit_memo ORDER BY id")]
    lack, seen = defaultdict(list), defaultdict(int)
    with reading(demo) as session:
        for ask, key in asked:
            said = ask(session, anybody, key)
            rules = {one.rule for one in lacking(said)}
            if rules:
                lack[tuple(sorted(rules))].append(said.number)
                continue
            assert differences(said) == [], said.number
            kinds = tuple((one.category.value, one.rate) for one in said.parts)
            shape = (said.kind, said.realm, said.currency, kinds, len(said.lines) > 1, len(said.preceding))
            seen[shape] += 1
            if seen[shape] <= OF_EACH:
                name = f"{said.realm}-{said.file_name}-{key}"
                (tmp_path / f"{name}.ubl.xml").write_bytes(ubl(said))
                (tmp_path / f"{name}.cii.xml").write_bytes(cii(said))
            if seen[shape] == 1 and said.realm == "live":
                paper = facturx_file(said)
                assert broken_rules(paper.content) == [], said.number
                (tmp_path / f"{said.currency}-{paper.file_name}").write_bytes(paper.content)
    assert sum(seen.values()) > 400
    assert {shape[2] for shape in seen} == {"EUR", "CHF", "GBP"}, "the demo trades in three countries"
    found = officially_broken(tmp_path)
    assert len(found) > 40
    assert {name: said for name, said in found.items() if said} == {}
    assert lack == {}, "every one of them can be given out"
