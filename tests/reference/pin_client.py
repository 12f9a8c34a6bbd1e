# SPDX-License-Identifier: Apache-2.0
"""A client of a server's pins, as a page or a script would be."""
from api_client import Api


def lasting(pin):
    """What of a pin stays the same until somebody changes it."""
    return {name: value for name, value in pin.items() if name != "live"}


class Pins(Api):
    def __init__(self, server, visitor=None):
        super().__init__(server, "api/pins", visitor)

    def view(self, **more):
        """A view of the first volume."""
        dataset = self.catalog()["datasets"][0]
        variable = next(v for v in dataset["variables"] if v["vertical"])
        return {"version": 1, "dataset": dataset["id"], "run": "latest", "time": "T+6", "layers": [{"variable": variable["id"]}], "size": [64, 48], **more}

    def make(self, title="a", view=None, **more):
        reply = self.ask("POST", "", {"title": title, "view": view or self.view(), **more})
        assert reply.status == 201, reply.body
        return reply.json()

    def change(self, method, pin, body=None, path="", revision=None):
        """A request to change a pin as it was read, or as it was at another revision."""
        return self.ask(method, f"/{pin['id']}{path}", body, {"If-Match": f'"{revision or pin["revision"]}"'})

    def put(self, pin, **change):
        return self.change("PUT", pin, change)

    def list(self, query=""):
        """All that a list has, page after page."""
        found, before = [], ""
        while True:
            page = self.ask("GET", f"?{query}{before}").json()
            found += page["pins"]
            if not page["more"]:
                return found
            before = f"&before={found[-1]['id']}"
