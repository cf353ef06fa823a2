"""Cases: they follow their inquiry and show its reports."""

from __future__ import annotations

from tests.support.contract_client import ContractClient


def test_cases_follow_their_inquiry(client: ContractClient) -> None:
    account = client.account(reference_id="r").id
    report = client.report(query={"term": "Jane"}, account_id=account).id
    id = client.inquiry({"account-id": account}).id
    client.finished(id, "review")
    client.post(f"/inquiries/{id}/mark-for-review")  # once more opens no second case
    (case_id,) = client.get("/cases").ids
    case = client.get(f"/cases/{case_id}")
    assert (case.attributes["status"], case.attributes["resolution"], case.attributes["resolved-at"]) == ("Open", None, None)
    for name, value in {
        "account-id": account,
        "inquiry-id": id,
        "reference-id": "r",
        "report-id": report,
        "status": "Open",
        "case-template-id": client.sandbox.templates.case,
    }.items():
        assert client.get("/cases", query={f"filter[{name}]": value}).ids == [case_id], name
        assert client.get("/cases", query={f"filter[{name}]": "other"}).ids == [], name
    client.sandbox.clock.advance(5)
    decided = client.post(f"/inquiries/{id}/decline").attributes
    case = client.get(f"/cases/{case_id}")
    assert (case.attributes["status"], case.attributes["resolution"]) == ("Declined", "Declined")
    assert case.attributes["resolved-at"] == decided["decisioned-at"]
    client.post(f"/inquiries/{id}/approve")
    assert client.get(f"/cases/{case_id}").attributes["resolution"] == "Approved"


def test_a_case_shows_the_reports_of_its_inquiry(client: ContractClient) -> None:
    account = client.account().id
    before = client.report(query={"term": "Jane"}, account_id=account).id
    client.finished(client.inquiry({"account-id": account}).id, "review")
    after = client.report("adverse-media", query={"term": "Jane"}, account_id=account).id
    other = client.report(query={"term": "Joe"}).id
    (case,) = client.get("/cases").data
    assert [each["id"] for each in case["relationships"]["reports"]["data"]] == [before, after]
    for report, cases in ((before, [case["id"]]), (after, [case["id"]]), (other, [])):
        assert client.get(f"/cases?filter[report-id]={report}").ids == cases
    included = client.get(f"/reports/{after}?include=inquiry").body["included"]
    assert [each["id"] for each in included] == [case["relationships"]["inquiries"]["data"][0]["id"]]
