# What deploy/aws/up and deploy/aws/down share. Sourced; sets $name, the stack's name. Which AWS is asked is for the aws command to
# know: AWS_PROFILE, AWS_REGION, and AWS_ENDPOINT_URL for a server of your own.
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tools/prepare.sh"

command -v aws >/dev/null || die "the AWS command line is missing: install it from https://aws.amazon.com/cli, then run this again"
export AWS_PAGER=

# Not all of its services listen to the variable.
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }

check_name() {
  [[ $1 =~ ^[a-z][a-z0-9]{0,19}$ ]] || die "the stack's name is $1, but must begin with a small letter and have at most 20 small letters and digits"
}

# Everything that isn't in the stack is named after it: the bucket of releases, the secrets, and what gateways make.
find_account() {
  account=$(aws sts get-caller-identity --query Account --output text) || die "AWS does not answer, or knows no such credentials: try aws sts get-caller-identity"
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}} || true
  [ -n "$region" ] || die "name a region: AWS_REGION=eu-central-1 $self …"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  releases=$name-release-$account-$region
}

# The stack's status; empty when there is none.
status_of() {
  aws cloudformation describe-stacks --stack-name "$name" --query 'Stacks[0].StackStatus' --output text 2>"$scratch/status" && return
  grep -q 'does not exist' "$scratch/status" || { cat "$scratch/status" >&2; die "can't read the stack $name"; }
}

# The stack's secrets that there are, without its name before them.
find_secrets() {
  secrets=" $(aws secretsmanager list-secrets --filters "Key=name,Values=$name/" --query 'SecretList[].Name' --output text | tr '\t\n' '  ') "
}

has_secret() { case $secrets in *" $name/$1 "*) return 0 ;; *) return 1 ;; esac; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
