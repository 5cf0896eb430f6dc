"""The clients of AWS, unmodified, against `keyaki serve`: boto3, the AWS CLI, cfn-policy-validator and tf-policy-validator.

Called with the address of a service that knows the key of `SIGNED`, and an empty directory to write in. The first answer that is not
the expected one ends it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ADDRESS, DIRECTORY = sys.argv[1], Path(sys.argv[2])
SIGNED = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "a-secret-of-the-test"}
PROGRAMS = Path(sys.executable).parent


def client(service, **credentials):
    once = Config(retries={"total_max_attempts": 1}, region_name="us-east-1")
    return boto3.client(service, endpoint_url=ADDRESS, config=once, **(credentials or SIGNED))


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, **members):
    return {"Effect": "Allow", "Action": actions, "Resource": "*", **members}


def answer(operation, **parameters):
    reply = operation(**parameters)
    assert reply.pop("ResponseMetadata")["RequestId"]
    return reply


def error(operation, **parameters):
    try:
        operation(**parameters)
    except ClientError as raised:
        return raised
    raise AssertionError(f"no error of {parameters}")


def boto3_asks_the_checks():
    analyzer = client("accessanalyzer")
    identity = {"policyType": "IDENTITY_POLICY"}
    wide, narrow = policy(allow("s3:*")), policy(allow("s3:Get*"))
    new = analyzer.check_no_new_access
    assert answer(new, newPolicyDocument=narrow, existingPolicyDocument=wide, **identity) == {
        "result": "PASS",
        "message": "The modified permissions do not grant new access compared to your existing policy.",
    }
    assert answer(new, newPolicyDocument=wide, existingPolicyDocument=narrow, **identity) == {
        "result": "FAIL",
        "message": "The modified permissions grant new access compared to your existing policy.",
        "reasons": [{"description": "New access in the statement with index: 0.", "statementIndex": 0}],
    }
    trust = lambda who: policy({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})
    changed = answer(
        new,
        newPolicyDocument=trust("*"),
        existingPolicyDocument=trust({"AWS": "111122223333"}),
        policyType="RESOURCE_POLICY",
    )
    assert changed["result"] == "FAIL", changed

    granted = analyzer.check_access_not_granted
    access = [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/*"]}]
    assert answer(granted, policyDocument=policy(allow("s3:*", Sid="All")), access=access, **identity) == {
        "result": "FAIL",
        "message": "The policy document grants access to perform one or more of the listed actions or resources.",
        "reasons": [
            {
                "description": "One or more of the listed actions or resources in the statement with sid: All.",
                "statementIndex": 0,
                "statementId": "All",
            }
        ],
    }
    assert answer(granted, policyDocument=policy(allow("sqs:*")), access=access, **identity) == {
        "result": "PASS",
        "message": "The policy document does not grant access to perform the listed actions or resources.",
    }

    public = analyzer.check_no_public_access
    bucket = {"resourceType": "AWS::S3::Bucket"}
    open_ = allow("s3:GetObject", Principal="*")
    confined = {**open_, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}
    undecided = {**open_, "Condition": {"StringLike": {"aws:CurrentTime": "203*"}}}
    assert answer(public, policyDocument=policy(open_), **bucket)["reasons"] == [
        {"description": "Public access granted in the following statement with index: 0.", "statementIndex": 0}
    ]
    assert answer(public, policyDocument=policy(confined), **bucket)["result"] == "PASS"
    reply = answer(public, policyDocument=policy(undecided), **bucket)
    assert reply["result"] == "FAIL" and "not decided" in reply["message"], reply


def boto3_validates():
    analyzer = client("accessanalyzer")
    reply = answer(analyzer.validate_policy, policyDocument=policy(allow("s3:Frob")), policyType="IDENTITY_POLICY")
    [finding] = reply["findings"]
    assert (finding["findingType"], finding["issueCode"]) == ("ERROR", "INVALID_ACTION"), finding
    [location] = finding["locations"]
    assert location["path"] == [{"value": "Statement"}, {"index": 0}, {"value": "Action"}], location
    start = location["span"]["start"]["offset"]
    assert policy(allow("s3:Frob"))[start:].startswith('"s3:Frob"'), location
    pages = analyzer.get_paginator("validate_policy").paginate(
        policyDocument=policy(*[allow("s3:Frob")] * 5), policyType="IDENTITY_POLICY", PaginationConfig={"PageSize": 2}
    )
    n_findings = [len(page["findings"]) for page in pages]
    assert len(n_findings) > 2 and sum(n_findings) >= 5, n_findings


def errors_are_exceptions_with_our_message():
    analyzer = client("accessanalyzer")
    raised = analyzer.exceptions
    public, granted = analyzer.check_no_public_access, analyzer.check_access_not_granted
    identity = {"policyType": "IDENTITY_POLICY", "policyDocument": policy(allow("s3:*"))}
    for wanted, words, operation, parameters in [
        (raised.ValidationException, "ends inside the object", public, {"policyDocument": "{", "resourceType": "AWS::S3::Bucket"}),
        (raised.ValidationException, "no type of resource", public, {"policyDocument": policy(), "resourceType": "AWS::S3::Bukket"}),
        (raised.ValidationException, "no `Principal`", public, {"policyDocument": policy(allow("s3:*")), "resourceType": "AWS::S3::Bucket"}),
        (raised.ValidationException, "neither IDENTITY_POLICY", granted, {**identity, "policyType": "SCP", "access": [{"actions": ["s3:*"]}]}),
        (raised.ValidationException, "101 actions", granted, {**identity, "access": [{"actions": ["s3:Get"] * 101}]}),
        (raised.ValidationException, "neither `actions`", granted, {**identity, "access": [{}]}),
        (raised.InvalidParameterException, "is not an action", granted, {**identity, "access": [{"actions": ["Get"]}]}),
        (
            raised.InvalidParameterException,
            "outside the part",
            granted,
            {**identity, "access": [{"resources": ["arn:aws:s3:*:111122223333:accesspoint/a"]}]},
        ),
    ]:
        got = error(operation, **parameters)
        assert isinstance(got, wanted) and words in str(got), got
    got = error(public, policyDocument="{", resourceType="AWS::S3::Bucket")
    assert got.response["reason"] == "fieldValidationFailed" and got.response["fieldList"][0]["name"] == "policyDocument"

    large = error(public, policyDocument=" " * (17 << 20), resourceType="AWS::S3::Bucket")
    assert "larger than" in str(large), large

    for credentials in [
        {**SIGNED, "aws_secret_access_key": "another-secret"},
        {**SIGNED, "aws_access_key_id": "AKIDUNKNOWN"},
    ]:
        wrong = client("accessanalyzer", **credentials)
        got = error(wrong.check_no_public_access, policyDocument=policy(), resourceType="AWS::S3::Bucket")
        assert got.response["Error"]["Code"] == "AccessDeniedException" and "signature" in str(got), got


def sts_tells_the_account():
    assert answer(client("sts").get_caller_identity)["Account"] == "111122223333"
    got = error(client("iam").list_users)
    assert got.response["Error"]["Code"] == "InvalidAction" and "ListUsers" in str(got), got


def iam_simulates():
    simulate = client("iam").simulate_custom_policy

    def results(**parameters):
        return answer(simulate, **parameters)["EvaluationResults"]

    read = policy(allow("s3:Get*"))
    tried = {"PolicyInputList": [read], "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    one, other = results(**tried)
    assert (one["EvalActionName"], one["EvalDecision"], other["EvalDecision"]) == ("s3:GetObject", "allowed", "implicitDeny")
    [matched] = one["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1", matched
    start = matched["StartPosition"]
    assert (start["Line"], start["Column"]) == (1, read.index("{", 1) + 1), matched

    deny = policy({**allow("s3:GetObject"), "Effect": "Deny"})
    [denied] = results(PolicyInputList=[read, deny], ActionNames=["s3:GetObject"])
    assert denied["EvalDecision"] == "explicitDeny", denied
    assert [at["SourcePolicyId"] for at in denied["MatchedStatements"]] == ["PolicyInputList.2"], denied

    tagged = policy(allow("s3:*", Condition={"StringEquals": {"aws:ResourceTag/team": "x"}}))
    [open_] = results(PolicyInputList=[tagged], ActionNames=["s3:GetObject"])
    assert (open_["EvalDecision"], open_["MissingContextValues"]) == ("implicitDeny", ["aws:ResourceTag/team"]), open_
    entry = {"ContextKeyName": "aws:ResourceTag/team", "ContextKeyValues": ["x"], "ContextKeyType": "string"}
    [given] = results(PolicyInputList=[tagged], ActionNames=["s3:GetObject"], ContextEntries=[entry])
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", []), given

    boundary = [policy(allow("ec2:*"))]
    [limited] = results(PolicyInputList=[read], ActionNames=["s3:GetObject"], PermissionsBoundaryPolicyInputList=boundary)
    assert limited["EvalDecision"] == "implicitDeny", limited
    assert limited["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}, limited

    caller = {"CallerArn": "arn:aws:iam::111122223333:user/alice", "ResourceArns": ["arn:aws:s3:::b/k"]}
    of_resource = policy({**allow("s3:GetObject"), "Principal": {"AWS": caller["CallerArn"]}})
    [granted] = results(
        PolicyInputList=[policy(allow("sqs:*"))],
        ActionNames=["s3:GetObject"],
        ResourcePolicy=of_resource,
        ResourceOwner="arn:aws:iam::111122223333:root",
        **caller,
    )
    assert granted["EvalDecision"] == "allowed", granted
    assert granted["MatchedStatements"][0]["SourcePolicyId"] == "ResourcePolicy", granted

    pages = client("iam").get_paginator("simulate_custom_policy").paginate(**tried, PaginationConfig={"PageSize": 1})
    assert [len(page["EvaluationResults"]) for page in pages] == [1, 1]

    for wanted, words, parameters in [
        ("InvalidInput", "ends inside", {"PolicyInputList": ["{"], "ActionNames": ["s3:GetObject"]}),
        ("InvalidInput", "CallerArn", {"PolicyInputList": [read], "ActionNames": ["s3:GetObject"], "ResourcePolicy": of_resource}),
        (
            "InvalidInput",
            "one value",
            {"PolicyInputList": [read], "ActionNames": ["s3:GetObject"], "ContextEntries": [{**entry, "ContextKeyValues": ["x", "y"]}]},
        ),
    ]:
        got = error(simulate, **parameters)
        assert got.response["Error"]["Code"] == wanted and words in str(got), got


def run(status, program, *arguments):
    """What a program prints, as JSON."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(DIRECTORY),
        "AWS_ENDPOINT_URL": ADDRESS,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": SIGNED["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": SIGNED["aws_secret_access_key"],
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(PROGRAMS / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (command, done)
    return json.loads(done.stdout)


def write(name, value):
    path = DIRECTORY / name
    path.write_text(json.dumps(value))
    return str(path)


def the_command_line_asks():
    statement = allow("s3:GetObject", Principal="*")
    check = ["accessanalyzer", "check-no-public-access", "--resource-type", "AWS::S3::Bucket"]
    reply = run(0, "aws", *check, "--policy-document", policy(statement))
    assert reply["result"] == "FAIL", reply
    environment_is_not_needed = run(0, "aws", "--endpoint-url", ADDRESS, *check, "--policy-document", policy())
    assert environment_is_not_needed["result"] == "PASS", environment_is_not_needed


def check_with(program, template, bucket_name):
    """All three commands of a validator, on a template with an open bucket and a role."""
    template = [*template, "--region", "us-east-1"]
    reference = write("reference.json", {"Version": "2012-10-17", "Statement": [allow("s3:Get*")]})
    wide = write("wide.json", {"Version": "2012-10-17", "Statement": [allow("*")]})
    codes = lambda report: [finding["code"] for finding in report["BlockingFindings"]]

    report = run(2, program, "check-no-public-access", *template)
    assert codes(report) == ["policy-analysis-CheckNoPublicAccess"], report
    assert report["BlockingFindings"][0]["resourceName"] == bucket_name, report

    new = ["check-no-new-access", *template, "--reference-policy-type", "identity", "--reference-policy"]
    assert codes(run(2, program, *new, reference)) == ["policy-analysis-CheckNoNewAccess"]
    assert codes(run(0, program, *new, wide)) == []

    granted = ["check-access-not-granted", *template, "--actions"]
    assert "policy-analysis-CheckAccessNotGranted" in codes(run(2, program, *granted, "s3:DeleteObject"))
    assert codes(run(0, program, *granted, "ec2:RunInstances")) == []


BUCKET_POLICY = json.loads(policy({**allow("s3:GetObject", Principal="*"), "Resource": "arn:aws:s3:::b/*"}))
ROLE_POLICY = json.loads(policy(allow("s3:*")))
TRUST_POLICY = json.loads(policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}))


def cloudformation_templates_are_checked():
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": BUCKET_POLICY},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST_POLICY,
                "Policies": [{"PolicyName": "p", "PolicyDocument": ROLE_POLICY}],
            },
        },
    }
    template = write("template.json", {"Resources": resources})
    check_with("cfn-policy-validator", ["--template-path", template], "b")


def terraform_plans_are_checked():
    def resource(kind, name, values):
        return {
            "address": f"{kind}.{name}",
            "mode": "managed",
            "type": kind,
            "name": name,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "schema_version": 0,
            "values": values,
        }

    resources = [
        resource("aws_s3_bucket_policy", "b", {"bucket": "b", "policy": json.dumps(BUCKET_POLICY)}),
        resource("aws_iam_policy", "p", {"name": "p", "policy": json.dumps(ROLE_POLICY)}),
    ]
    configured = [
        {
            "address": resource["address"],
            "mode": "managed",
            "type": resource["type"],
            "name": resource["name"],
            "provider_config_key": "aws",
            "expressions": {},
            "schema_version": 0,
        }
        for resource in resources
    ]
    region = {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "us-east-1"}}}}
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.5.0",
        "planned_values": {"root_module": {"resources": resources}},
        "configuration": {"provider_config": region, "root_module": {"resources": configured}},
    }
    import iam_check

    config = str(Path(iam_check.__file__).parent / "config" / "default.yaml")
    check_with("tf-policy-validator", ["--config", config, "--template-path", write("plan.json", plan)], "b")


for check in [
    boto3_asks_the_checks,
    boto3_validates,
    errors_are_exceptions_with_our_message,
    sts_tells_the_account,
    iam_simulates,
    the_command_line_asks,
    cloudformation_templates_are_checked,
    terraform_plans_are_checked,
]:
    check()
    print(check.__name__)
