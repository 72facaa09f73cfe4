# Denies a plan that is dangerous, and whatever is not a whole review.
#
#   set -o pipefail
#   npx --no -- ssh-only-firewall review plan.tfplan --json --fail-on none | conftest test --combine --policy examples/conftest -
#
# conftest reads an empty input as a document that is undefined, and every rule that looks into it is silent; of a list it tests
# each part, so that an empty one passes untested. With --combine it tests once, whatever comes, and this policy asks first whether
# a review is there: it must prove that there is one, not that there is none. Without --combine it denies everything.
#
# Every danger is denied. Kinds that are meant are allowed by a file of data, --data allowed.yaml:
#
#   allowed_kinds: [opened]
#
# `incomplete` is always denied, because what a plan leaves out is not reviewed.
package main

import rego.v1

allowed_kinds := {kind | some kind in data.allowed_kinds} - {"incomplete"}

# What --combine makes of one document.
review := input[0].contents if count(input) == 1

# The whole of what `review --json` prints.
is_review if {
	review.version == 1
	is_string(review.verdict)
	is_boolean(review.dangerous)
	is_array(review.dangers)
	is_array(review.hosts)
	is_number(review.lockedAfter)
	is_consistent
	every danger in review.dangers {
		is_string(danger.kind)
		count(danger.findings) > 0
		every finding in danger.findings {
			is_string(finding.detail)
		}
	}
}

is_consistent if {
	review.dangerous == true
	count(review.dangers) > 0
}

is_consistent if {
	review.dangerous == false
	count(review.dangers) == 0
}

deny contains "This is not a whole review of a plan: the review failed, or printed nothing." if not is_review

deny contains msg if {
	is_review
	some danger in review.dangers
	not danger.kind in allowed_kinds
	some finding in danger.findings
	msg := sprintf("%v: %v: %v", [danger.kind, object.get(finding, "host", ""), finding.detail])
}
