"""Who answers, on the screen: the matrix with its gaps, giving a duty, ending one; nothing typed is lost."""

from __future__ import annotations

from tests.support.queries import MOST, queries
from tests.support.risks import a_register


def test_a_duty_is_given_and_ended_and_the_matrix_shows_gaps(signed_in, sqlite_database, clock):
    register = a_register(sqlite_database, clock)
    office = signed_in("pmo")
    with queries(sqlite_database) as ran:
        page = office.get("/raci?kind=data_domain")
    assert len(ran) <= MOST
    assert page.text.count("nobody is accountable") == 10
    page = office.get("/raci/data_domain/customer")
    assert "Not clear: nobody is accountable; nobody is responsible." in page.text
    fields = {"request_key": "d1", "duty": "accountable", "holder": f"person:{register.owner.id}", "why": "owns them"}
    page = office.post("/raci/data_domain/customer/give", fields)
    assert "The duty is given." in page.text
    assert "Ines Keller" in page.text
    fields = {"request_key": "d2", "duty": "accountable", "holder": f"person:{register.colleague.id}", "why": "me too"}
    page = office.post("/raci/data_domain/customer/give", fields, status=422)
    assert "one alone is" in page.text
    assert "me too" in page.html
    chosen = next(one.attributes["value"] for one in page.root.find("input", name="duty"))
    page = office.post("/raci/data_domain/customer/end", {"duty": chosen, "reason": ""}, status=422)
    assert "Say why" in page.text
    page = office.post("/raci/data_domain/customer/end", {"duty": chosen, "reason": "moved"})
    assert "The duty is ended." in page.text
    assert "moved" in page.text
    office.post("/raci/data_domain/customer/end", {"duty": "99", "reason": "moved"}, status=404)
    office.get("/raci/data_domain/moods", status=404)
    office.get("/raci/mood/customer", status=404)
    assert "Customers" in office.get("/raci?gap=1").text
    assert "Customers" in office.client.get("/raci.csv").text
    auditor = signed_in("auditor")
    assert "Give a duty" not in auditor.get("/raci/data_domain/customer").text
    auditor.post("/raci/data_domain/customer/give", fields, status=403)
