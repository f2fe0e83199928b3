package contract

import "strings"

// CheckTenant returns an [*Error] with [CodeInvalidArgument] unless the name can be that of
// a tenant: 1 to 64 letters, digits, "_" and "-", so that it is one token of a subject and
// part of the name of a consumer.
func CheckTenant(tenant string) error {
	if !token.MatchString(tenant) {
		return Invalid("tenant", "must be 1 to 64 letters, digits, _ and -")
	}
	return nil
}

// QueuedSubject returns the subject on which the instances of a service hear that jobs of a
// tenant and a class were queued, so that they look for some; tokens may be wildcards.
// Whoever submits jobs of tenants other than [DefaultTenant] says so there from time to
// time. An instance that does not hear it finds the jobs by itself some seconds later.
//
//	heddle.v1.t.<tenant>.queued.<service>.<class>
func QueuedSubject(tenant, service string, class JobClass) string {
	return subjectPrefix + "t." + tenant + ".queued." + service + "." + string(class)
}

// ParseQueuedSubject reads what [QueuedSubject] wrote.
func ParseQueuedSubject(subject string) (tenant, service string, class JobClass, ok bool) {
	rest, ok := strings.CutPrefix(subject, subjectPrefix+"t.")
	t := strings.Split(rest, ".")
	if !ok || len(t) != 4 || t[1] != "queued" {
		return "", "", "", false
	}
	return t[0], t[2], JobClass(t[3]), true
}

// ParseWorkConsumer reads what [WorkConsumer] wrote.
func ParseWorkConsumer(consumer string) (class JobClass, tenant string, ok bool) {
	name, tenant, ok := strings.Cut(consumer, "-")
	return JobClass(name), tenant, ok
}
