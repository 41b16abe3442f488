// htmx would write a style of its own into the page, which the policy of the staff's site forbids and nothing here needs.
"use strict";

htmx.config.includeIndicatorStyles = false;
