"""The console's agents and usage, in a browser against the real server: a definition that is read, compared, released and run; what
it cost, and what nobody knows the price of."""

import json

import pytest
from holdfast import Server

import browser
from test_console import axe, chromium, click, enter, page, text_of, violations  # noqa: F401  (fixtures among them)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}, description: "Answers <b>briefly</b>."}}
spec:
  model: {{provider: openai, base_url: {model}, name: {model_name}, retry: {{initial: 50ms, attempts: 1}}}}
  prompt: |
    {prompt}
    Say what you did: "yes" or "no".
  tools:
    - name: orders
      type: http
      description: Lists orders.
      parameters: {{properties: {{customer: {{type: integer, description: Who asks}}, region: {{type: string, enum: [north, south]}}}}, required: [customer]}}
      bind: {{customer: {{run: customer_id}}, region: {{run: region}}}}
      http: {{url: "http://127.0.0.1:9/{{customer}}"}}
"""
PRICES = {
    "format": 1, "as_of": "2026-11-28", "currency": "USD", "per_tokens": 1000000,
    "providers": [{"name": "the script", "hosts": ["127.0.0.1"], "models": [{"match": ["scripted"], "input": "1.00", "output": "2.00"}]}],
}
NUMBERS = "[...document.querySelectorAll('.lines code[data-line]')].map(c => Number(c.dataset.line))"


@pytest.fixture(scope="module")
def shop(binary, agent_text, tmp_path_factory):
    """A server that knows what the scripted model costs."""
    directory = tmp_path_factory.mktemp("shop")
    prices = directory / "prices.json"
    prices.write_text(json.dumps(PRICES))
    one = Server(binary, directory / "data", *agent_text.grants, "--prices", str(prices)).start()
    yield one
    one.close()


@pytest.fixture
def agent(shop, model, request):
    """Two versions of an agent of this test's own, the second one current; `production` names the first."""
    name = request.node.name.split("[")[0].replace("_", "-").removeprefix("test-")[:40].strip("-")
    hashes = []
    for prompt in ("Slowly.", "Quickly."):
        answer = shop.request("PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, model=model, model_name="scripted", prompt=prompt))
        assert answer.status in (200, 201), answer.text
        hashes.append(answer.json["version"])
    shop.request("PUT", f"/api/v1/agents/{name}/labels/production", {"version": hashes[0], "by": "ann"}, {"If-None-Match": "*"})
    return name, *hashes


def label_of(shop, name, label="production"):
    return shop.get(f"/api/v1/agents/{name}/labels/{label}").json


# ---- agents


def test_what_is_read_of_a_definition_is_that_definition(shop, page, agent):
    name, first, second = agent
    page.open(f"{shop.ready['http']}/agents")
    click(page, "a.agent-name", name)
    page.wait_for(f"location.pathname == '/agents/{name}' && document.querySelectorAll('.lines code').length > 10")
    numbers = page.evaluate(NUMBERS)
    assert numbers == list(range(1, len(numbers) + 1))
    text = text_of(page, ".lines code").replace("\n|", "\n").rstrip("\n")
    assert "  prompt: |\n    Quickly.\n" in text and "1." not in text.splitlines()[0]
    # Applied again it is no other version: nothing of it was lost or changed on the way.
    again = shop.request("PUT", f"/api/v1/agents/{name}", text)
    assert (again.status, again.json["version"]) == (200, second), again.text
    assert page.evaluate("document.querySelectorAll('.screen b').length") == 0
    click(page, ".versions a", first[:12])
    page.wait_for("document.querySelector('.lines')?.textContent.includes('Slowly.')")
    assert page.evaluate("location.search") == f"?version={first}"
    page.evaluate("window.before = true")
    page.reload()
    page.wait_for("!window.before && document.querySelector('.lines')?.textContent.includes('Slowly.')")


def test_a_definition_is_copied_where_the_page_has_no_clipboard(shop, page, agent):
    """As over plain HTTP from another machine: only a secure page has one."""
    name, _, _ = agent
    page.open(f"{shop.ready['http']}/agents/{name}")
    page.wait_for("!!document.querySelector('.lines-bar button')")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined}), addEventListener('copy', () => { window.taken = document.activeElement.value })")
    page.press_at(*page.middle_of(".lines-bar button"))
    page.wait_for("document.querySelector('.lines-bar button').textContent == 'Copied'")
    assert page.evaluate("window.taken").rstrip() == page.evaluate("document.querySelector('pre.lines').textContent").rstrip()
    assert page.evaluate("document.querySelectorAll('.lines-bar textarea').length") == 0


def test_two_versions_are_compared_by_meaning(shop, page, agent):
    name, first, second = agent
    page.open(f"{shop.ready['http']}/agents/{name}?view=changes")
    page.wait_for("!!document.querySelector('.change')")
    assert text_of(page, ".change h2 code") == "spec.prompt"
    assert "-Slowly." in text_of(page, ".diff .minus").replace(" ", "") and "+Quickly." in text_of(page, ".diff .plus").replace(" ", "")
    enter(page, "#against", second)
    page.wait_for("document.querySelector('section .note[role=status]')?.textContent.includes('the same')")
    enter(page, "#against", "production")
    page.wait_for("location.search.includes('against=production') && !!document.querySelector('.change')")


def test_a_version_is_promoted_and_rolled_back(shop, page, agent):
    name, first, second = agent
    page.open(f"{shop.ready['http']}/agents/{name}")
    click(page, "aside button", "Promote this version")
    page.wait_for("!!document.querySelector('dialog[open] #promote-label')")
    enter(page, "#promote-label", "production")
    page.wait_for(f"document.querySelector('dialog .note[role=status]').textContent.includes('{first[:12]}')")
    enter(page, "#promote-comment", "passed <i>all</i>")
    click(page, "dialog button", "Promote")
    page.wait_for(f"!document.querySelector('dialog') && document.querySelector('[data-label=production] code').textContent == '{second[:12]}'")
    moved = label_of(shop, name)
    assert (moved["version"], moved["by"], moved["comment"]) == (second, "console", "passed <i>all</i>")
    click(page, "[data-label=production] button", "Roll back")
    page.wait_for("document.querySelector('dialog .moves')?.textContent.includes('passed <i>all</i>')")
    click(page, "dialog button", "Roll back")
    page.wait_for(f"!document.querySelector('dialog') && document.querySelector('[data-label=production] code').textContent == '{first[:12]}'")
    assert label_of(shop, name)["how"] == "rolled_back"
    click(page, "[data-label=production] button", "Roll back")
    click(page, "dialog button", "Roll back")
    page.wait_for("(document.querySelector('dialog [role=alert]')?.textContent.length ?? 0) > 0")
    assert label_of(shop, name)["move"] == 3


def test_who_promotes_what_somebody_moved_meanwhile_is_told(shop, page, agent):
    name, first, second = agent
    page.open(f"{shop.ready['http']}/agents/{name}")
    click(page, "aside button", "Promote this version")
    page.wait_for("!!document.querySelector('dialog[open] #promote-label')")
    seen = label_of(shop, name)
    headers = {"If-Match": f'"{seen["move"]}"'}
    assert shop.request("PUT", f"/api/v1/agents/{name}/labels/production", {"version": second, "by": "mara"}, headers).status == 200
    headers = {"If-Match": f'"{seen["move"] + 1}"'}
    assert shop.request("PUT", f"/api/v1/agents/{name}/labels/production", {"version": first, "by": "mara"}, headers).status == 200
    enter(page, "#promote-label", "production")
    click(page, "dialog button", "Promote")
    page.wait_for("document.querySelector('dialog [role=alert]')?.textContent.includes('mara')")
    assert label_of(shop, name)["version"] == first


def test_a_run_is_started_with_the_context_that_tools_bind(shop, page, agent):
    name, first, second = agent
    page.open(f"{shop.ready['http']}/agents/{name}?version={first}&view=start")
    page.wait_for("!!document.querySelector('#context-customer_id')")
    assert page.evaluate("[...document.querySelectorAll('#context-region option')].map(o => o.value).join()") == ",north,south"
    enter(page, "#start-input", "hello")
    enter(page, "#context-customer_id", "4.2")
    click(page, ".start button", "Start run")
    page.wait_for("document.querySelector('.start [role=alert]')?.textContent.includes('whole number')")
    enter(page, "#context-customer_id", "42")
    enter(page, "#context-region", "north")
    click(page, ".start button", "Start run")
    page.wait_for("location.pathname.startsWith('/runs/') && !!document.querySelector('.end.completed')")
    run = shop.run(page.evaluate("location.pathname").removeprefix("/runs/"))
    assert (run["agent"], run["version"], run["output"]) == (name, first, "Hello from the script.")
    page.open(f"{shop.ready['http']}/agents/{name}")
    click(page, ".agent-links a", "Runs")
    page.wait_for(f"location.search == '?agent={name}' && !!document.querySelector('.runs [data-run=\"{run['id']}\"]')")


def test_an_agent_or_version_that_is_not_there(shop, page, agent):
    for path in ("/agents/nobody", f"/agents/{agent[0]}?version=ffffffff"):
        page.open(shop.ready["http"] + path)
        page.wait_for("document.querySelector('.agent-screen [role=alert]')?.textContent.length > 0")


def test_agents_come_in_pages(own_server, page, agent_text):
    for i in range(101):
        assert own_server.request("PUT", f"/api/v1/agents/a{i:03}", agent_text(f"a{i:03}")).status == 201
    page.open(f"{own_server.ready['http']}/agents")
    page.wait_for("document.querySelectorAll('.agent').length == 100")
    click(page, "button", "More agents")
    page.wait_for("document.querySelectorAll('.agent').length == 102 && !document.querySelector('main button')")


# ---- usage


def used(shop, model, name, model_name, text="hello"):
    assert shop.request("PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, model=model, model_name=model_name, prompt="x")).status in (200, 201)
    run = shop.start_run(name, text, context={"customer_id": 1, "region": "north"})
    return shop.wait(run, lambda r: r["bill"])


def test_usage_says_what_it_cost_and_what_has_no_price(binary, agent_text, shop, page, model):
    priced = used(shop, model, "spender", "scripted")
    page.open(f"{shop.ready['http']}/usage")
    page.wait_for("!!document.querySelector('.usage-table tbody tr') && !!document.querySelector('.usage-chart canvas')")
    report = shop.get("/api/v1/usage").json
    row = next(row for row in report["rows"] if row["agent"] == "spender")
    shown = page.evaluate("[...document.querySelectorAll('.usage-table tbody tr')].find(r => r.textContent.startsWith('spender')).innerText.split('\\t')")
    assert shown == ["spender", str(row["model_calls"]), "0", str(row["input_tokens"]), str(row["output_tokens"]), f"${row['cost']['usd']}"]
    assert priced["bill"]["cost"]["usd"] == row["cost"]["usd"]
    days = page.evaluate("[...document.querySelectorAll('.usage-chart table tbody tr')].map(r => r.textContent)")
    assert len(days) == 30 and days[-1].endswith(f"${report['total']['cost']['usd']}")
    enter(page, "#usage-by", "day")
    page.wait_for("location.search.includes('by=day') && document.querySelectorAll('.usage-table tbody tr').length == 1 && !document.querySelector('.usage-chart table')")
    enter(page, "#usage-by", "tool")
    page.wait_for("document.querySelector('.empty')?.textContent.includes('tool')")


def test_unpriced_is_told_as_unpriced(own_server, page, model):
    used(own_server, model, "free", "scripted")
    page.open(f"{own_server.ready['http']}/usage?by=model")
    page.wait_for("!!document.querySelector('.usage-table tbody tr')")
    assert text_of(page, ".usage-table tbody td:last-child, .usage-table tfoot td:last-child, .usage-facts dd.unpriced, .usage-facts > div:first-child dd") == "unpriced|1 call|unpriced|unpriced"
    # Bars of cost would be none: it shows tokens.
    assert page.evaluate("document.querySelector('.chart-bar [aria-pressed=true]').textContent") == "Tokens"
    click(page, ".chart-bar button", "Cost")
    page.wait_for("document.querySelector('.chart-bar .note')?.textContent.includes('1 day') && location.search.includes('chart=cost')")
    assert page.evaluate("[...document.querySelectorAll('.usage-chart tbody tr')].at(-1).textContent").endswith("unpriced")


def test_the_range_of_usage_is_its_address(shop, page, model):
    used(shop, model, "ranged", "scripted")
    page.open(f"{shop.ready['http']}/usage?from=2026-01-01&to=2026-01-31&by=version")
    page.wait_for("document.querySelector('.empty')?.textContent.includes('version')")
    assert page.evaluate("document.getElementById('usage-from').value") == "2026-01-01"
    enter(page, "#usage-to", "2026-01-15")
    page.wait_for("location.search.includes('to=2026-01-15')")
    click(page, ".ranges button", "7 days")
    page.wait_for("!!document.querySelector('.usage-table tbody a')")
    for bad in ("from=2026-13-01", "to=x", "by=colour"):
        page.open(f"{shop.ready['http']}/usage?{bad}")
        page.wait_for("!!document.querySelector('.usage-table tbody tr')")
    assert page.evaluate("document.querySelectorAll('[role=alert]').length") == 0


# ---- both


SCREENS = (("/agents", ".agent"), ("/agents/{}", ".lines code"), ("/agents/{}?view=changes", ".change"), ("/agents/{}?view=start", "#context-region"), ("/usage", ".usage-chart canvas"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(shop, page, axe, agent, model, scheme):
    used(shop, model, "spender", "scripted")
    page.prefer(scheme)
    for path, ready in SCREENS:
        path = path.format(agent[0])
        page.open(shop.ready["http"] + path)
        page.wait_for(f"location.pathname + location.search == '{path}' && !!document.querySelector('{ready}')")
        assert violations(page, axe) == [], path
    for button in ("Promote this version", "Roll back"):
        page.open(f"{shop.ready['http']}/agents/{agent[0]}")
        click(page, "aside button", button)
        page.wait_for("!!document.querySelector('dialog[open]')")
        assert violations(page, axe) == [], button


def test_a_phone_has_no_sideways_scroll(shop, page, agent, model):
    used(shop, model, "spender", "scripted")
    page.resize(390, 844)
    for path, ready in SCREENS:
        path = path.format(agent[0])
        page.open(shop.ready["http"] + path)
        page.wait_for(f"location.pathname + location.search == '{path}' && !!document.querySelector('{ready}')")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_a_chart_is_loaded_where_it_is_shown(shop, page, agent):
    def loaded():
        return page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('/assets/chart')).length")

    page.open(f"{shop.ready['http']}/agents/{agent[0]}")
    page.wait_for("!!document.querySelector('.lines code')")
    assert loaded() == 0
    page.open(f"{shop.ready['http']}/usage")
    page.wait_for("!!document.querySelector('.usage-chart canvas')")
    assert loaded() >= 1
