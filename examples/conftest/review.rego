# Denies a plan that is dangerous, and whatever is not a whole review.
#
#   set -o pipefail
#   npx ssh-only-firewall review plan.tfplan --json --fail-on none | conftest test --policy examples/conftest -
#
# conftest reads an empty input as a document that is undefined, and every rule that looks into it is silent. So this policy
# asks first whether a review is there: it must prove that there is one, not that there is none. Kinds of danger that are
# meant are allowed by name below; `incomplete` is not to be, because what a plan leaves out is not reviewed.
package main

import rego.v1

allowed_kinds := set()

# The whole of what `review --json` prints.
is_review if {
	input.version == 1
	is_string(input.verdict)
	is_boolean(input.dangerous)
	is_array(input.dangers)
	is_array(input.hosts)
	is_number(input.lockedAfter)
	is_consistent
	every danger in input.dangers {
		is_string(danger.kind)
		count(danger.findings) > 0
	}
}

is_consistent if {
	input.dangerous == true
	count(input.dangers) > 0
}

is_consistent if {
	input.dangerous == false
	count(input.dangers) == 0
}

deny contains "This is not a whole review of a plan: the review failed, or printed nothing." if not is_review

deny contains msg if {
	is_review
	some danger in input.dangers
	not danger.kind in allowed_kinds
	some finding in danger.findings
	msg := sprintf("%v: %v: %v", [danger.kind, object.get(finding, "host", ""), finding.detail])
}
